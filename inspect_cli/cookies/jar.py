"""A client's cookies: what it keeps, what it sends, what it was given."""

from __future__ import annotations

from collections.abc import Iterator

from inspect_cli.cookies.cookie import Cookie
from inspect_cli.cookies.hosts import canonical_host, site_of
from inspect_cli.cookies.profiles import PROFILES, RFC6265BIS, Profile
from inspect_cli.cookies.send import (
    SendDecision,
    decide_send,
    goes,
    header_order,
    serialize,
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

    def __init__(self, profile: str = RFC6265BIS.name) -> None:
        self.profile: Profile = PROFILES[profile]
        self._shelves = Shelves()

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
        return decide_store(self._shelves, self.profile, line, asking, now_ns, tell=steps)

    def send(self, asking: Asking, now_ns: int, *, steps: bool = True) -> list[SendDecision]:
        """Decide about each cookie of the site: those that go, in header order, then the rest.

        Counts as an access for those that go.
        """
        return decide_send(self._shelves, self.profile, asking, now_ns, tell=steps)

    def header(self, asking: Asking, now_ns: int) -> bytes:
        """Value of the Cookie field for `asking`, b"" if there is none; counts as an access."""
        trip = start_trip(self.profile, asking, now_ns, tell=False)
        if trip is None:
            return b""
        going = [cookie for cookie in self._shelves.matching(trip.host) if goes(cookie, trip)]
        going.sort(key=header_order)
        for cookie in going:
            self._shelves.touch(cookie, now_ns)
        return serialize(going)

    def add(self, cookie: Cookie) -> None:
        """Put a cookie in as it is (from a file, or given), within the bounds of the profile."""
        self._shelves.insert(cookie)
        self._shelves.remove_excess(cookie.domain, self.profile, cookie.last_access_ns)

    def find(self, name: bytes, domain: str, path: str, *, host_only: bool) -> Cookie | None:
        """The cookie of exactly that name, domain, path and host-only flag."""
        return self._shelves.find(domain, (name, host_only, path))

    def given(self, host: str | None = None) -> tuple[GivenCookie, ...]:
        """The cookies as a Context tells them; with `host` only those of its site."""
        if host is None:
            return tuple(_given(cookie) for cookie in self._shelves)
        site = canonical_host(host)
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
    )
