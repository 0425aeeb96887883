"""curl's cookie engine (lib/cookie.c), measured by tests with the real one.

Nearly RFC 6265, with ways of its own: a cookie needs a name and `=`, a TAB or control character
anywhere drops it, quotes around a path go, a path is kept without its last slash, what is no
path is `/`, Max-Age that is no number expires, the first Expires counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from inspect_cli.cookies.curl_time import curl_time
from inspect_cli.cookies.drafts import Draft, Outcome, StoreDecision
from inspect_cli.cookies.hosts import is_ip, is_public_suffix, is_secure_scheme
from inspect_cli.cookies.names import host_of
from inspect_cli.cookies.parse import SAME_SITE
from inspect_cli.cookies.paths import upper_escapes
from inspect_cli.cookies.profiles import Profile
from inspect_cli.cookies.settled import Trail
from inspect_cli.cookies.shelves import Shelves
from inspect_cli.cookies.sites import is_trusted
from inspect_cli.cookies.store import insert, refuse
from inspect_cli.events.base import Secret
from inspect_cli.events.cookies import Asking, SetCookie, Step

CLIENT: Final = "curl"
_BLANKS: Final = b" \t"
_DIGITS: Final = re.compile(rb'"?([0-9]+)')
_AROUND_LINE: Final = 3
"""curl counts the blank before the value and the line's CRLF too."""
_MAX_DATE: Final = 80
_NS: Final = 1_000_000_000
_LATEST_S: Final = 1 << 40
_SHORT: Final = 80
_PREFIX_SECURE: Final = b"__Secure-"
_PREFIX_HOST: Final = b"__Host-"


@dataclass(slots=True)
class CurlDraft(Draft):
    """A cookie on its way; `pieces` are the attributes, trimmed, in wire order."""

    had_equals: bool = False
    pieces: tuple[tuple[bytes, bytes], ...] = ()


def _step(check: str, outcome: Outcome, found: str = "") -> Step:
    return Step(CLIENT, check, outcome, found[:_SHORT])


def _split(line: bytes) -> Iterator[tuple[bytes, bytes, bool]]:
    for piece in line.split(b";"):
        name, equals, value = piece.partition(b"=")
        yield name.strip(_BLANKS), value.strip(_BLANKS), bool(equals)


def _line_size(draft: CurlDraft) -> Step:
    limit = draft.profile.max_line_bytes
    if limit is not None and len(draft.line) + _AROUND_LINE > limit:
        draft.reason = "LineTooLong"
        return _step("line-size", "failed", str(len(draft.line)))
    return _step("line-size", "passed")


def _name(draft: CurlDraft) -> Step:
    if draft.name and draft.had_equals:
        return _step("name", "passed")
    draft.reason = "NoName" if draft.name or draft.value or draft.had_equals else "NoCookieContent"
    return _step("name", "failed")


def _octets(draft: CurlDraft) -> Step:
    """A control character or TAB between other characters, in the pair or an attribute."""
    refused = draft.profile.refused_octets
    for name, value in ((draft.name, draft.value), *draft.pieces):
        piece = name + value
        if len(piece.translate(None, refused)) != len(piece):
            draft.reason = "DisallowedCharacter"
            return _step("control-character", "failed")
    return _step("control-character", "passed")


def _pair_size(draft: CurlDraft) -> Step:
    limit = draft.profile.max_pair_bytes
    if limit is not None and len(draft.name) + len(draft.value) > limit:
        draft.reason = "NameValuePairExceedsMaxSize"
        return _step("pair-size", "failed")
    return _step("pair-size", "passed")


def _secure(draft: CurlDraft) -> Step:
    if not draft.parsed.secure:
        return _step("secure", "skipped")
    if is_trusted(draft.asking.scheme, draft.host, draft.profile):
        return _step("secure", "passed", "" if is_secure_scheme(draft.asking.scheme) else "loopback")
    draft.reason = "SecureOnly"
    return _step("secure", "failed")


def _domain(draft: CurlDraft) -> Step:
    """Every Domain must fit (a suffix of the host's name, or the address itself); the last one counts."""
    draft.domain = draft.host
    for name, value in draft.pieces:
        if name.lower() != b"domain" or not value:
            continue
        domain = value.removeprefix(b".").decode("latin-1").lower()
        if not _tail_matches(draft.host, domain):
            draft.reason = "InvalidDomain"
            return _step("domain-match", "failed", domain)
        draft.domain = domain or draft.host  # `Domain=.` fits a host that ends with a dot
        draft.host_only = is_ip(draft.host)
    if draft.host_only:
        return _step("domain-match", "applied", "host-only")
    return _step("domain-match", "passed", draft.domain)


def _tail_matches(host: str, domain: str) -> bool:
    return host == domain or (not is_ip(host) and host.endswith("." + domain))


def _path(draft: CurlDraft) -> Step:
    said = draft.parsed.path
    if said:
        draft.path = _sanitized(said.decode("latin-1"))
        return _step("path", "passed", draft.path)
    path = upper_escapes(draft.asking.path)
    draft.path = _sanitized(path[: path.rfind("/") + 1] or "/")
    return _step("path", "applied", draft.path)


def _sanitized(path: str) -> str:
    if path.startswith('"'):
        path = path[1:].removesuffix('"')
    if not path.startswith("/"):
        return "/"
    return path.removesuffix("/") or "/"


def _lifetime(draft: CurlDraft) -> Step:
    """Max-Age wins, the last one; of Expires the first that can be read."""
    expires_s = 0
    found = "session"
    now_s = draft.now_ns // _NS
    for name, value in draft.pieces:
        known = name.lower()
        if known == b"max-age" and value:
            expires_s, found = _max_age(value, now_s), f"Max-Age={value[:20].decode('latin-1')}"
        elif known == b"expires" and not expires_s and 0 < len(value) < _MAX_DATE:
            moment = curl_time(value)
            if moment is not None:
                expires_s, found = moment or 1, "Expires"
    if not expires_s:
        return _step("lifetime", "applied", "session")
    draft.expires_ns = max(-_LATEST_S, expires_s) * _NS
    return _step("lifetime", "applied", found)


def _max_age(value: bytes, now_s: int) -> int:
    """No number, or nought: it has expired. Digits count as far as they go."""
    digits = _DIGITS.match(value)
    seconds = int(digits[1][:18]) if digits else 0
    return now_s + min(seconds, _LATEST_S) if seconds else 1


def _lifetime_limit(draft: CurlDraft) -> Step | None:
    limit_s, rounds_s = draft.profile.max_lifetime_s, draft.profile.lifetime_rounds_s
    if draft.expires_ns is None or limit_s is None:
        return None
    latest_s = draft.now_ns // _NS + limit_s
    if draft.expires_ns <= latest_s * _NS:
        return None
    draft.expires_ns = (latest_s + rounds_s // 2) // rounds_s * rounds_s * _NS
    return _step("lifetime-limit", "applied", "400 days")


def _prefix(draft: CurlDraft) -> Step:
    """In exactly this spelling, unlike browsers."""
    secure = draft.parsed.secure
    if draft.name.startswith(_PREFIX_SECURE):
        found, broken = "__Secure-", "" if secure else "Secure"
    elif draft.name.startswith(_PREFIX_HOST):
        kept = {"Secure": secure, "host-only": draft.host_only, "Path=/": draft.path == "/"}
        broken = next((promise for promise, is_kept in kept.items() if not is_kept), "")
        found = f"__Host- {broken}".strip()
    else:
        return _step("prefix", "skipped")
    if broken:
        draft.reason = "InvalidPrefix"
    return _step("prefix", "failed" if broken else "passed", found)


def _public_suffix(draft: CurlDraft) -> Step | None:
    if draft.host_only or not draft.profile.rejects_public_suffixes:
        return None
    if not is_public_suffix(draft.domain):
        return _step("public-suffix", "passed")
    if draft.domain == draft.host:
        draft.host_only = True
        return _step("public-suffix", "applied", draft.domain)
    draft.reason = "InvalidDomain"
    return _step("public-suffix", "failed", draft.domain)


def _overlay_secure(draft: CurlDraft) -> Step:
    """As §5.7 step 16, but of the Secure cookie's path only the first segment counts, as text."""
    if draft.parsed.secure or is_trusted(draft.asking.scheme, draft.host, draft.profile):
        return _step("overlay-secure", "skipped")
    if draft.shelves.has_secure_over(draft.name, draft.domain, draft.path, _begins_alike):
        draft.reason = "OverwriteSecure"
        return _step("overlay-secure", "failed")
    return _step("overlay-secure", "passed")


def _begins_alike(path: str, cookie_path: str) -> bool:
    end = cookie_path.find("/", 1)
    return path.startswith(cookie_path if end < 0 else cookie_path[:end])


Rule = Callable[[CurlDraft], Step | None]
_LINE_RULES: Final[tuple[Rule, ...]] = (_line_size, _name, _octets, _pair_size)
_RULES: Final[tuple[Rule, ...]] = (
    _secure, _domain, _path, _lifetime, _lifetime_limit, _public_suffix, _prefix, _overlay_secure,
)  # fmt: skip


def decide_store(
    shelves: Shelves,
    profile: Profile,
    line: bytes,
    asking: Asking,
    now_ns: int,
    *,
    tell: bool = True,
) -> StoreDecision:
    """As store.decide_store, for the flavour `curl`."""
    (name, value, equals), *others = _split(line)
    draft = CurlDraft(line, name, value, asking, now_ns, profile, shelves, tell)
    draft.had_equals = equals
    draft.pieces = tuple([(said, content) for said, content, _ in others])
    trail: list[Step] = []
    failed = _ask(_LINE_RULES, draft, trail)
    if failed is None:
        draft.parsed = _parsed(draft, others)
        host = host_of(asking.host, profile)
        if host is None:
            draft.reason, failed = "InvalidDomain", _step("canonical-host", "failed")
        else:
            draft.host = host
            failed = _ask(_RULES, draft, trail)
    return insert(draft, Trail(trail if draft.tell else None)) if failed is None else refuse(draft, trail, failed)


def _ask(rules: tuple[Rule, ...], draft: CurlDraft, trail: list[Step]) -> Step | None:
    """The step that fails, not yet in the trail."""
    for rule in rules:
        step = rule(draft)
        if step is None:
            continue
        if draft.reason:
            return step
        trail.append(step)
    return None


def _parsed(draft: CurlDraft, others: list[tuple[bytes, bytes, bool]]) -> SetCookie:
    said = {name.lower(): value for name, value, _ in others}
    with_value = {name.lower(): value for name, value, equals in others if equals}
    domains = [value for name, value in draft.pieces if name.lower() == b"domain" and value]
    return SetCookie(
        draft.name,
        Secret(draft.value, "cookie"),
        next((found * _NS for v in _all(draft, b"expires") if (found := curl_time(v)) is not None), None),
        next((_max_age(v, 0) for v in reversed(_all(draft, b"max-age"))), None),
        domains[-1].removeprefix(b".").lower() if domains else None,
        with_value.get(b"path"),
        b"secure" in said,
        b"httponly" in said,
        SAME_SITE.get(said.get(b"samesite", b"").lower(), "default"),
        tuple([(name, value) for name, value in draft.pieces if name or value]),
    )


def _all(draft: CurlDraft, name: bytes) -> list[bytes]:
    return [value for said, value in draft.pieces if said.lower() == name and value]
