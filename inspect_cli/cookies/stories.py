"""A story: requests and answers, one after the other, and what becomes of their cookies.

The JSON of `cookie why --batch`. A line of `set_cookie` whose characters are all below U+0100 is
octets (Latin-1), so that any octets can be written; any other line stands for its UTF-8. What a
cookie sends comes out in the form in which its line went in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final, NamedTuple

from inspect_cli.cookies.asking import VIAS, asking_from
from inspect_cli.cookies.cookie import Cookie
from inspect_cli.cookies.jar import Jar
from inspect_cli.cookies.parse import split_pair
from inspect_cli.cookies.send import SendDecision
from inspect_cli.cookies.store import StoreDecision
from inspect_cli.events.cookies import Asking

_NS = 1_000_000_000
_LATIN: Final = "latin-1"
_UTF8: Final = "utf-8"
_NOT_THERE: Final = frozenset(("Expired", "OtherPartition"))
"""Cookies that DevTools does not hold for candidates."""
_EVERY: Final = 1 << 30
_KEYS: Final = frozenset(("url", "via", "from", "top", "method", "set_cookie", "at"))
_OPENS: Final = frozenset(("navigate", "link", "post"))
_LATEST_S: Final = 1 << 33
"""Times beyond the year 2240 are no times of a story: what is counted from them stays a number of ns."""


class BadStory(ValueError):
    """What is wrong, and in which step, from 1."""


class _Step(NamedTuple):
    url: str
    via: str
    page: str | None
    top: str | None
    method: str | None
    lines: tuple[str, ...]
    at_ns: int | None


class _Chain(NamedTuple):
    """Who asked first where redirects follow."""

    via: str
    page: str | None
    top: str | None


def tell(story: Mapping[str, Any], profile: str, *, block_third_party: bool = False, now_ns: int) -> dict[str, Any]:
    """What each step's request carries, what stays at home and why, and what of its answer is kept.

    `now_ns`: the time of the first step where it names none; each one after it comes a second later.
    Raises BadStory for a story that is none, KeyError for a profile that nobody knows.
    """
    if not isinstance(story, Mapping) or not isinstance(story.get("steps"), list):
        raise BadStory('a story is an object with a list of "steps"')
    jar = Jar(profile, block_third_party=block_third_party)
    chain = _Chain("navigate", None, None)
    page: str | None = None
    frames: dict[str, Asking] = {}  # documents inside the page, and how they were asked for
    at_ns = now_ns - _NS
    told: list[dict[str, Any]] = []
    for number, raw in enumerate(story["steps"], 1):
        try:
            step = _read(raw)
            at_ns = at_ns + _NS if step.at_ns is None else step.at_ns
            chain, asking = _who_asks(step, chain, page)
            asking = _behind(frames.get(chain.page or ""), asking)
        except ValueError as error:
            raise BadStory(f"step {number}: {error}") from None
        told.append(_play(jar, asking, step.lines, at_ns))
        if chain.via in _OPENS:
            page = step.url
            frames.clear()
        elif chain.via == "iframe":
            frames[step.url] = asking
    return {"steps": told}


def _who_asks(step: _Step, before: _Chain, page: str | None) -> tuple[_Chain, Asking]:
    """The chain of redirects that the step belongs to, and who asks for what."""
    if step.via == "redirect":
        # The same asker goes on (the recorded Chromium looks at no host in between); 303 makes a GET of a POST.
        chain = _Chain(before.via, step.page or before.page, step.top or before.top)
        method = step.method or "GET"
    else:
        start = step.page
        if start is None and step.via != "navigate":
            start = page if page is not None or step.via != "js" else step.url
        chain = _Chain(step.via, start, step.top)
        method = step.method or ("POST" if step.via == "post" else "GET")
    return chain, _asking(step.url, chain.via, chain.page, chain.top, method)


def _behind(frame: Asking | None, asking: Asking) -> Asking:
    """What a frame asks for is cross-site where the frame itself was (6265bis §5.2.1: all its ancestors count)."""
    if frame is None or frame.same_site or asking.top_level:
        return asking
    return replace(asking, same_site=False, same_domain=bool(asking.same_domain and frame.same_domain))


@lru_cache(maxsize=4096)
def _asking(url: str, via: str, page: str | None, top: str | None, method: str) -> Asking:
    try:
        return asking_from(url, via, page=page, top=top, method=method)
    except ValueError:
        raise ValueError("no URL with a scheme and a host where one is needed") from None


def _play(jar: Jar, asking: Asking, lines: tuple[str, ...], at_ns: int) -> dict[str, Any]:
    decisions = jar.send(asking, at_ns, steps=False, most=_EVERY)
    going = [_pair(decision.cookie) for decision in decisions if decision.sent]
    withheld = [_withheld(one) for one in decisions if not one.sent and one.reason not in _NOT_THERE]
    kept = jar.store_all([octets_of(line) for line in lines], asking, at_ns, steps=False)
    return {
        "cookie": "; ".join(going) if going else None,
        "withheld": withheld,
        "set": [_kept(line, decision) for line, decision in zip(lines, kept, strict=True)],
    }


def _pair(cookie: Cookie) -> str:
    """The cookie as the Cookie field has it (6265bis §5.8.3 step 6)."""
    form = str(cookie.tag)
    value = _text(cookie.value.value, form)
    if cookie.bare:
        return _text(cookie.name, form)
    return f"{_text(cookie.name, form)}={value}" if cookie.name else value


def _withheld(decision: SendDecision) -> dict[str, Any]:
    cookie = decision.cookie
    form = str(cookie.tag)
    path = cookie.path if form == _LATIN else _text(cookie.path.encode("latin-1"), form)
    return {"name": _text(cookie.name, form), "path": path, "reasons": list(decision.reasons)}


def _kept(line: str, decision: StoreDecision) -> dict[str, Any]:
    parsed = decision.parsed
    octets = octets_of(line)
    form = _LATIN if len(octets) == len(line) else _UTF8
    if decision.cookie is not None:
        decision.cookie.tag = form
    name, value = (parsed.name, parsed.value.value) if parsed is not None else split_pair(octets)
    return {
        "line": line,
        "stored": decision.stored,
        "name": _text(name, form),
        "value": _text(value, form),
        "reasons": [] if decision.stored else list(decision.reasons),
    }


def _text(octets: bytes, form: str) -> str:
    return octets.decode(form, "surrogatepass" if form == _UTF8 else "strict")


# -- reading ---------------------------------------------------------------------------------


def _read(raw: Any) -> _Step:
    if not isinstance(raw, Mapping):
        raise ValueError("a step is an object")
    if raw.keys() - _KEYS:
        raise ValueError(f"unknown key {min(map(str, raw.keys() - _KEYS))!r}")
    url = _string(raw, "url")
    if url is None:
        raise ValueError("url is missing")
    via = _string(raw, "via") or "navigate"
    if via not in VIAS:
        raise ValueError(f"via is one of {', '.join(VIAS)}")
    method = _string(raw, "method")
    return _Step(
        url,
        via,
        _string(raw, "from"),
        _string(raw, "top"),
        method.upper() if method else None,
        _lines(raw.get("set_cookie")),
        _time_ns(raw.get("at")),
    )


def _string(raw: Mapping[str, Any], key: str) -> str | None:
    value = raw.get(key)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{key} is a string or null")
    return value


def _lines(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(line, str) for line in value):
        raise ValueError("set_cookie is a list of strings or null")
    return tuple(value)


def octets_of(line: str) -> bytes:
    """The octets that a line of a story stands for."""
    try:
        return line.encode("latin-1")
    except UnicodeEncodeError:
        return line.encode("utf-8", "surrogatepass")


def _time_ns(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LATEST_S:
        raise ValueError("at is a time in Unix seconds or null")
    return int(value * _NS)
