"""A client's cookies: what it keeps, what it sends, what it was given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from inspect_cli.cookies.answers import decide_all
from inspect_cli.cookies.cookie import Cookie
from inspect_cli.cookies.hosts import site_of
from inspect_cli.cookies.last import Last
from inspect_cli.cookies.limits import remove_excess
from inspect_cli.cookies.names import host_of
from inspect_cli.cookies.outgoing import ORDERS, excess, serialize
from inspect_cli.cookies.profiles import PROFILES, RFC6265BIS, Profile
from inspect_cli.cookies.send import (
    MAX_WITHHELD,
    SendDecision,
    decide_send,
    goes,
    start_trip,
)
from inspect_cli.cookies.shelves import Shelves
from inspect_cli.cookies.store import StoreDecision, decide_store
from inspect_cli.events.calls import GivenCookie
from inspect_cli.events.cookies import Asking


class Jar:
    """A cookie store with the rules of one client profile. It has no clock: times are given.

    Raises KeyError for a profile that `profiles.PROFILES` does not have.
    """

    def __init__(self, profile: str = RFC6265BIS.name, *, block_third_party: bool = False) -> None:
        self.profile: Profile = PROFILES[profile]
        self.block_third_party = block_third_party
        """Whether the user blocks cookies of other sites than the top-level page's."""
        self._shelves = Shelves()
        self._last: Last | None = None

    def __len__(self) -> int:
        return len(self._shelves)

    def __iter__(self) -> Iterator[Cookie]:
        """Cookies, the one that was stored or sent longest ago first; expired ones may be among them."""
        return iter(self._shelves)

    @property
    def cookies(self) -> tuple[Cookie, ...]:
        return tuple(self._shelves)

    @property
    def size_bytes(self) -> int:
        """Roughly what it takes to remember them all."""
        return self._shelves.size_bytes

    def store(self, line: bytes, asking: Asking, now_ns: int, *, steps: bool = True) -> StoreDecision:
        """Take a Set-Cookie line of a response to `asking`, received at `now_ns`."""
        return decide_store(
            self._shelves, self.profile, line, asking, now_ns, tell=steps, blocks_third_parties=self.block_third_party
        )

    def store_all(
        self, lines: Iterable[bytes], asking: Asking, now_ns: int, *, steps: bool = True
    ) -> list[StoreDecision]:
        """Take the Set-Cookie lines of one response, in their order."""
        profile = self.profile
        if not profile.reads_whole_answers and profile.max_stored_per_response is None:  # each line by itself
            shelves, blocks = self._shelves, self.block_third_party
            return [
                decide_store(shelves, profile, line, asking, now_ns, tell=steps, blocks_third_parties=blocks)
                for line in lines
            ]
        return decide_all(
            lines, self.profile, now_ns, lambda line: self.store(line, asking, now_ns, steps=steps), tell=steps
        )

    def end_session(self) -> tuple[Cookie, ...]:
        """The browser closes: cookies without an expiry go (6265bis §5.7); gives those that went."""
        gone = tuple([cookie for cookie in self._shelves if cookie.expires_ns is None])
        for cookie in gone:
            self._shelves.remove(cookie)
        return gone

    def send(self, asking: Asking, now_ns: int, *, steps: bool = True, most: int = MAX_WITHHELD) -> list[SendDecision]:
        """Decide about each cookie of the site: those that go, in header order, then the rest (at most `most`).

        Counts as an access for those that go.
        """
        if steps and most == MAX_WITHHELD:
            return list(self.send_again(asking, now_ns))
        return self._decide(asking, now_ns, tell=steps, most=most)

    def _decide(
        self, asking: Asking, now_ns: int, *, tell: bool = True, most: int = MAX_WITHHELD
    ) -> list[SendDecision]:
        return decide_send(
            self._shelves,
            self.profile,
            asking,
            now_ns,
            tell=tell,
            blocks_third_parties=self.block_third_party,
            most=most,
        )

    def send_again(self, asking: Asking, now_ns: int) -> tuple[SendDecision, ...]:
        """As `send`; the very same object as last time where nothing changed since."""
        last, shelves = self._last, self._shelves
        if last is not None and last.holds(asking, now_ns):
            if last.version != shelves.version:
                last = self._last = last.renewed(shelves, now_ns)
            if last is not None:
                for cookie in last.sent:
                    shelves.touch(cookie, now_ns)
                return last.decisions
        before = shelves.version
        found = tuple(self._decide(asking, now_ns))
        # Expired ones have left by now: their decisions do not come again.
        self._last = Last.of(asking, shelves, self.profile, found) if before == shelves.version else None
        return found

    def header(self, asking: Asking, now_ns: int) -> bytes:
        """Value of the Cookie field for `asking`, b"" if there is none; counts as an access."""
        trip = start_trip(self.profile, asking, now_ns, tell=False, blocks_third_parties=self.block_third_party)
        if trip is None:
            return b""
        going = [cookie for cookie in self._shelves.matching(trip.host) if goes(cookie, trip)]
        going.sort(key=ORDERS[self.profile.header_order])
        if self.profile.max_sent is not None or self.profile.max_header_bytes is not None:
            late = excess(going, self.profile)
            going = [cookie for cookie in going if id(cookie) not in late]
        for cookie in going:
            self._shelves.touch(cookie, now_ns)
        return serialize(going)

    def add(self, cookie: Cookie) -> None:
        """Put a cookie in as it is (from a file, or given), within the bounds of the profile."""
        if self.profile.drops_last_slash:
            cookie.path = cookie.path.removesuffix("/") or "/"
        cookie.place = self._shelves.place_of(cookie, self.profile.header_order)
        self._shelves.insert(cookie)
        remove_excess(self._shelves, cookie, self.profile, cookie.last_access_ns)

    def find(self, name: bytes, domain: str, path: str, *, host_only: bool, partition: str = "") -> Cookie | None:
        """The cookie of exactly that name, domain, path, host-only flag and partition."""
        return self._shelves.find(domain, (name, host_only, path, partition))

    def given(self, host: str | None = None) -> tuple[GivenCookie, ...]:
        """The cookies as a Context tells them; with `host` only those of its site."""
        if host is None:
            return tuple(_given(cookie) for cookie in self._shelves)
        site = host_of(host, self.profile)
        if site is None:
            return ()
        return tuple(_given(cookie) for cookie in self._shelves.of_site(site_of(site)))


def _given(cookie: Cookie) -> GivenCookie:
    return GivenCookie(
        cookie.name,
        cookie.value,
        cookie.domain,
        cookie.host_only,
        cookie.path,
        cookie.secure,
        cookie.http_only,
        cookie.same_site,
        cookie.expires_ns,
        by_hand=False,
        partition=cookie.partition,
    )
