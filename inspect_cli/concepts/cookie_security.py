"""What a cookie leaves open: to the network, to scripts, to other sites, to its owner."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from inspect_cli.concepts.base import Concept
from inspect_cli.concepts.memory import Recent, brief, brief_text, names_of
from inspect_cli.events.base import Annotation, Event
from inspect_cli.events.cookies import BIS, CookieEvent, CookieSent, CookieStored, SessionChanged, SessionIssued

_YEAR_NS = 366 * 86_400 * 1_000_000_000
_JWT = re.compile(rb"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\Z")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{16,}={0,2}\Z")
_EMAIL = re.compile(rb"[\w.+-]+(?:@|%40)[\w-]+\.[\w.-]+", re.ASCII)
_FIELDS = re.compile(rb"\A(?:%7B|\{|\w+[=:%]\w+[&;|,])", re.ASCII | re.IGNORECASE)
_LOOK = 4096
"""Bytes of a value that are looked at: no client keeps a longer one."""
_LARGE = 2048
"""Octets of name and value: half of what a client must be able to keep (6265bis §6.1)."""
_PREFIXES = (b"__secure-", b"__host-", b"__http-")


def readable_as(value: bytes) -> str:
    """What anybody who holds the value can read in it: `jwt`, `json`, `base64-json`, `email`, `fields`; or ""."""
    value = value[:_LOOK]
    if _JWT.match(value):
        return "jwt"
    if value[:1] == b"{" and value[-1:] == b"}":
        return "json"
    if _EMAIL.search(value):
        return "email"
    if _BASE64.match(value):
        try:
            plain = base64.b64decode(value.replace(b"-", b"+").replace(b"_", b"/") + b"==")
        except (ValueError, binascii.Error):
            return ""
        if plain[:1] in (b"{", b"[") and plain.isascii():
            return "base64-json"
        return ""
    return "fields" if _FIELDS.match(value) else ""


class CookieSecurity(Concept):
    """Each attribute closes one hole, and only that one: which are open here."""

    id = "cookie-security"
    reference = f"{BIS} §8"
    watches = (CookieStored, CookieSent, SessionIssued, SessionChanged)
    codes = (
        "cookie-security.clear-text",
        "cookie-security.no-secure",
        "cookie-security.no-httponly",
        "cookie-security.no-samesite",
        "cookie-security.samesite-none",
        "cookie-security.broad-domain",
        "cookie-security.long-lifetime",
        "cookie-security.readable-value",
        "cookie-security.large",
        "cookie-security.prefix",
        "cookie-security.no-prefix",
    )

    def __init__(self) -> None:
        self._seen: Recent[tuple[bytes, str, str, frozenset[bytes]], bool] = Recent()
        self._in_clear: Recent[tuple[bytes, str], bool] = Recent()
        self._unprefixed: Recent[tuple[bytes, str, str], bool] = Recent()

    def ways(self) -> Mapping[type[Event], Callable[[Any], Iterable[Annotation]]]:
        return {
            CookieStored: self._stored,
            CookieSent: self._sent,
            SessionIssued: self._session,
            SessionChanged: self._session,
        }

    def _stored(self, event: CookieStored) -> Iterable[Annotation]:
        decision = event.decision
        key = (brief(decision.name), decision.domain, brief_text(decision.path), names_of(event.attributes))
        return self._holes(event) if self._seen.first_time(key, True) else ()

    def _session(self, event: SessionIssued | SessionChanged) -> Iterable[Annotation]:
        """A name prefix is what keeps a subdomain, or plain http, from planting an ID (6265bis §4.1.3, §8.6)."""
        of = event.of
        if not of.secure or event.name.lower().startswith(_PREFIXES):
            return ()
        if not self._unprefixed.first_time((brief(event.name), of.domain, brief_text(of.path)), True):
            return ()
        reference, basis = f"{BIS} §4.1.3", of.of.where.basis
        return (self.note(event, "no-prefix", reference=reference, level="notice", basis=basis, name=event.name),)

    def _sent(self, event: CookieSent) -> Iterable[Annotation]:
        # Said where it was set if that was seen.
        if event.decision.origin == "stored" or not self._is_clear(event):
            return ()
        if not self._in_clear.first_time((brief(event.name), event.domain), True):
            return ()
        reference = f"{BIS} §8.3"
        return (self.note(event, "clear-text", reference=reference, level="warning", name=event.name),)

    @staticmethod
    def _is_clear(event: CookieEvent) -> bool:
        # What a client's own socket told may have gone through TLS: no frame shows it.
        return bool(event.of.where.frames) and "/tls" not in event.where.channel

    def _holes(self, event: CookieStored) -> Iterable[Annotation]:
        basis = event.of.where.basis
        name = event.name
        if not event.secure:
            clear = self._is_clear(event)
            reference = f"{BIS} §8.3"
            yield self.note(
                event, "no-secure", reference=reference, level="warning", basis=basis, name=name, clear=clear
            )
        if not event.http_only:
            reference = f"{BIS} §4.1.2.6"
            yield self.note(event, "no-httponly", reference=reference, level="notice", basis=basis, name=name)
        yield from self._sites(event)
        if event.expires_ns is not None and event.expires_ns - event.where.time_ns > _YEAR_NS:
            lifetime_ns = event.expires_ns - event.where.time_ns
            reference = f"{BIS} §5.5"
            yield self.note(event, "long-lifetime", reference=reference, level="notice", lifetime_ns=lifetime_ns)
        form = readable_as(event.value.value)
        if form:
            reference = f"{BIS} §8.5"
            yield self.note(
                event, "readable-value", reference=reference, level="notice", basis=basis, name=name, form=form
            )
        size = len(name) + len(event.value.value)
        if size > _LARGE:
            yield self.note(event, "large", reference=f"{BIS} §6.1", level="notice", basis=basis, name=name, size=size)
        lower = name.lower()
        if lower.startswith((b"__secure-", b"__host-")):
            host = lower.startswith(b"__host-")
            yield self.note(event, "prefix", reference=f"{BIS} §4.1.3", basis=basis, name=name, host=host)

    def _sites(self, event: CookieStored) -> Iterable[Annotation]:
        basis = event.of.where.basis
        reference = f"{BIS} §4.1.2.7"
        if event.same_site == "default":
            yield self.note(event, "no-samesite", reference=reference, level="notice", basis=basis, name=event.name)
        elif event.same_site == "none":
            yield self.note(event, "samesite-none", reference=reference, level="notice", basis=basis, name=event.name)
        if not event.host_only:
            reference = f"{BIS} §4.1.2.3"
            yield self.note(
                event, "broad-domain", reference=reference, level="notice", basis=basis, domain=event.domain
            )
