"""Where a jar's cookies stand: found by domain and site, oldest access first, bounded."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from heapq import heapify, heappop, heappush

from inspect_cli.cookies.cookie import Cookie, Key
from inspect_cli.cookies.hosts import domain_matches, is_public_suffix, site_of
from inspect_cli.cookies.paths import path_matches

_MAX_SEATS = 10_000


class Shelves:
    """The cookie store as an index. Every operation costs what it touches."""

    def __init__(self) -> None:
        self._domains: dict[str, dict[Key, Cookie]] = {}
        self._sites: dict[str, dict[str, None]] | None = None
        """Domains by site; made when first asked for: most jars are not, and public suffixes take 50 ms to load."""
        self._by_access: OrderedDict[int, Cookie] = OrderedDict()
        """By identity: what stands here lives, so that no other object has it."""
        self._expiring: list[tuple[int, int, int]] = []
        self._secure_names: dict[bytes, int] = {}
        self._order = 0
        self._seats: dict[tuple[str, ...], int] = {}
        self.size_bytes = 0
        self.version = 0
        """Another one after each cookie that came or went."""
        self.shape = 0
        """The same as long as cookies are replaced by ones that differ in nothing but value and times."""

    def __len__(self) -> int:
        return len(self._by_access)

    def __iter__(self) -> Iterator[Cookie]:
        """Cookies, oldest access first."""
        return iter(self._by_access.values())

    def find(self, domain: str, key: Key) -> Cookie | None:
        shelf = self._domains.get(domain)
        return shelf.get(key) if shelf else None

    def count(self, domain: str) -> int:
        return len(self._domains.get(domain, ()))

    def count_site(self, domain: str) -> int:
        """How many cookies the site of the domain has."""
        if self._sites is None:
            self._index_sites()
        return sum([len(self._domains[one]) for one in (self._sites or {}).get(site_of(domain), ())])

    def of_domain(self, domain: str) -> Iterator[Cookie]:
        """Cookies of exactly this domain."""
        yield from self._domains.get(domain, {}).values()

    def insert(self, cookie: Cookie, *, keeps_place: bool = True) -> None:
        """Put a cookie in the place of one with the same domain and key; without its place: behind all others."""
        self.version += 1
        key = cookie.key
        domain = cookie.domain
        shelf = self._domains.get(domain)
        if shelf is None:
            shelf = self._domains[domain] = {}
            if self._sites is not None:
                self._sites.setdefault(site_of(domain), {})[domain] = None
        old = shelf.get(key)
        if old is not None:
            self._take(old)
        if old is not None and keeps_place:
            cookie.order = old.order
            if not _is_alike(old, cookie):
                self.shape += 1
        else:
            self._order += 1
            cookie.order = self._order
            self.shape += 1
        shelf[key] = cookie
        self._by_access[id(cookie)] = cookie
        cookie.size = cookie.size_bytes
        self.size_bytes += cookie.size
        if cookie.secure:
            self._secure_names[cookie.name] = self._secure_names.get(cookie.name, 0) + 1
        if cookie.expires_ns is not None:
            heappush(self._expiring, (cookie.expires_ns, cookie.order, id(cookie)))
            if len(self._expiring) > 2 * len(self._by_access) + 64:
                self._forget_stale_expiries()

    def place_of(self, cookie: Cookie, order: str) -> tuple[int, ...]:
        """Where a client's own store has a cookie that comes in now (`Profile.header_order`)."""
        if order == "nested":
            # http.cookiejar: domains and paths stay in its dictionaries when their cookies are gone.
            domain = ("" if cookie.host_only else ".") + cookie.domain
            return (self._seat((domain,)), self._seat((domain, cookie.path)))
        return () if order == "creation" else (self.version,)

    def _seat(self, key: tuple[str, ...]) -> int:
        if len(self._seats) >= _MAX_SEATS:
            self._seats.clear()
        return self._seats.setdefault(key, self.version)

    def remove(self, cookie: Cookie) -> None:
        """Take a cookie out that is in."""
        self.version += 1
        self.shape += 1
        domain = cookie.domain
        shelf = self._domains[domain]
        del shelf[cookie.key]
        if not shelf:
            del self._domains[domain]
            if self._sites is not None:
                site = site_of(domain)
                domains = self._sites[site]
                del domains[domain]
                if not domains:
                    del self._sites[site]
        self._take(cookie)

    def _take(self, cookie: Cookie) -> None:
        """Forget a cookie that has left its shelf."""
        del self._by_access[id(cookie)]
        self.size_bytes -= cookie.size
        if cookie.secure:
            left = self._secure_names[cookie.name] - 1
            if left:
                self._secure_names[cookie.name] = left
            else:
                del self._secure_names[cookie.name]

    def touch(self, cookie: Cookie, now_ns: int) -> None:
        """The cookie was sent now (§5.8.3 step 5)."""
        cookie.last_access_ns = now_ns
        self._by_access.move_to_end(id(cookie))

    def matching(self, host: str) -> Iterator[Cookie]:
        """Cookies of the host's own domain and of every domain above it."""
        domains = self._domains
        domain = host
        while domain:
            shelf = domains.get(domain)
            if shelf:
                yield from shelf.values()
            domain = domain.partition(".")[2]

    def of_site(self, host: str) -> Iterator[Cookie]:
        """Cookies of every domain of the host's site."""
        if self._sites is None and self._domains.keys() <= {host}:
            yield from self._domains.get(host, {}).values()
            return
        if self._sites is None:
            self._index_sites()
        for domain in (self._sites or {}).get(site_of(host), ()):
            yield from self._domains[domain].values()

    def _index_sites(self) -> None:
        self._sites = {}
        for domain in self._domains:
            self._sites.setdefault(site_of(domain), {})[domain] = None

    def has_secure_over(
        self, name: bytes, domain: str, path: str, covers: Callable[[str, str], bool] = path_matches
    ) -> bool:
        """Whether a Secure cookie would be overlaid (§5.7 step 16, the four conditions)."""
        if name not in self._secure_names:
            return False
        # Domains that match either way share the site, unless one is itself a public suffix.
        found = iter(self) if is_public_suffix(domain) else self._related(domain)
        return any(
            cookie.secure
            and cookie.name == name
            and (domain_matches(cookie.domain, domain) or domain_matches(domain, cookie.domain))
            and covers(path, cookie.path)
            for cookie in found
        )

    def _related(self, domain: str) -> Iterator[Cookie]:
        yield from self.of_site(domain)
        yield from self.matching(domain)

    def remove_expired(self, now_ns: int, gone: list[Cookie]) -> None:
        """Take out what has expired, and put it into `gone`."""
        while self._expiring and self._expiring[0][0] < now_ns:
            _, _, place = heappop(self._expiring)
            cookie = self._by_access.get(place)
            if cookie is not None and cookie.is_expired(now_ns):
                self.remove(cookie)
                gone.append(cookie)

    def _forget_stale_expiries(self) -> None:
        self._expiring = [
            (cookie.expires_ns, cookie.order, place)
            for place, cookie in self._by_access.items()
            if cookie.expires_ns is not None
        ]
        heapify(self._expiring)


def _is_alike(old: Cookie, new: Cookie) -> bool:
    """Whether the new one in the old one's place goes along where the old one went, at the same place in the field."""
    return (
        old.secure is new.secure
        and old.http_only is new.http_only
        and old.same_site == new.same_site
        and old.creation_ns == new.creation_ns
        and (old.expires_ns is None) is (new.expires_ns is None)
    )
