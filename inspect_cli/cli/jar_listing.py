"""What `cookie jar` does: the cookies of a Netscape file, and what is wrong with each."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, Final, TextIO

from inspect_cli.cli.cookie_rows import cookie_row
from inspect_cli.cli.curl_body import read_bytes
from inspect_cli.cli.output import Output
from inspect_cli.cookies.cookie import Cookie
from inspect_cli.cookies.hosts import is_ip, is_public_suffix
from inspect_cli.cookies.netscape import HEADER, Found, Unreadable, examine
from inspect_cli.cookies.parse import MAX_PAIR_BYTES, has_control_character
from inspect_cli.cookies.profiles import RFC6265BIS
from inspect_cli.derive.session_ids import names_session
from inspect_cli.errors import NotACookieFile
from inspect_cli.render.redact import Redactor
from inspect_cli.render.values import exact_text

Row = dict[str, Any]
_HEADS: Final = (HEADER, "# HTTP Cookie File")
"""Python's http.cookiejar reads no file that begins otherwise; curl and browsers' exporters write the first."""
_NS: Final = 1_000_000_000


def show_jar(path: str, at: int | None, output: Output) -> int:
    """Show it. Raises: NoSuchFile, FileNotReadable, OutputNotWritable; NotACookieFile after all was shown."""
    text = read_bytes(path).decode("utf-8", "surrogateescape")
    document = document_of(path, text, time.time_ns() if at is None else at, output)
    with output.opened(() if path == "-" else (path,)) as out:
        _show(document, output, out)
    if document["unreadable"] and not document["cookies"]:
        raise NotACookieFile(path=path)
    return 0


def _show(document: Row, output: Output, out: TextIO) -> None:
    if output.format != "text":
        from inspect_cli.render.documents import write_document

        lists = {"cookies": "cookie", "unreadable": "unreadable"}
        write_document(out, "jar", document, lists, lines=output.format == "ndjson")
        return
    from inspect_cli.render.jar_table import JarTable
    from inspect_cli.render.page import Page

    page = Page(out, output.words, output.look(out))
    page.write(JarTable(page, document).lines())


def document_of(path: str, text: str, now_ns: int, output: Output) -> Row:
    """What the file holds as the object of docs/json.md."""
    redactor, words = output.redactor, output.words
    cookies: list[Row] = []
    unreadable: list[Row] = []
    lines: dict[tuple[object, ...], int] = {}
    for found in examine(text):
        cookie = found.cookie
        if isinstance(cookie, Unreadable):
            row = {"problem": cookie.problem, "found": exact_text(cookie.found[:80].encode("utf-8", "surrogateescape"))}
            said = words.say(f"cookie.unreadable.{cookie.problem}", row)
            unreadable.append({"line": found.number, **row, "text": said})
            continue
        problems = list(_problems(found, cookie, now_ns))
        key = (cookie.domain, *cookie.key)
        if key in lines:
            problems.append(("duplicate", {"line": lines[key]}))
        lines[key] = found.number
        told = [
            {"code": code, "data": data, "text": words.say(f"cookie.wrong.{code}", data)} for code, data in problems
        ]
        cookies.append({"line": found.number, **_kept(cookie, redactor), "problems": told})
    return {
        "file": path,
        "time_ns": now_ns,
        "has_head": text.startswith(_HEADS),
        "cookies": cookies,
        "unreadable": unreadable,
    }


def _kept(cookie: Cookie, redactor: Redactor) -> Row:
    return {
        **cookie_row(cookie, redactor),
        "secure": cookie.secure,
        "http_only": cookie.http_only,
        "expires_ns": cookie.expires_ns,
        "size_bytes": len(cookie.name) + len(cookie.value.value),
    }


def _problems(found: Found, cookie: Cookie, now_ns: int) -> Iterator[tuple[str, Row]]:
    """What is wrong with a cookie by itself: code, and what its words are filled from."""
    for code, check in _CHECKS.items():
        data = check(found, cookie, now_ns)
        if data is not None:
            yield code, data


def _expired(found: Found, cookie: Cookie, now_ns: int) -> Row | None:
    expires_ns = cookie.expires_ns
    if expires_ns is None or not cookie.is_expired(now_ns):
        return None
    return {"ago_ns": now_ns - expires_ns}


def _lives_long(found: Found, cookie: Cookie, now_ns: int) -> Row | None:
    limit_s = RFC6265BIS.max_lifetime_s or 0  # 6265bis §5.5
    expires_ns = cookie.expires_ns
    return None if expires_ns is None or expires_ns <= now_ns + limit_s * _NS else {"days": limit_s // 86_400}


def _suffix(found: Found, cookie: Cookie, now_ns: int) -> Row | None:
    """6265bis §5.7 step 9: such a Domain is refused, unless it is the host itself."""
    return None if cookie.host_only or not is_public_suffix(cookie.domain) else {"domain": cookie.domain}


def _prefix(found: Found, cookie: Cookie, now_ns: int) -> Row | None:
    """6265bis §5.4 and §5.7 steps 20, 21; `__Http-` and `__Host-Http-` as browsers have them."""
    name = cookie.name.lower()
    for prefix in ("__Host-Http-", "__Host-", "__Http-", "__Secure-"):
        if not name.startswith(prefix.lower().encode()):
            continue
        needs = {
            "Secure": cookie.secure,
            "HttpOnly": cookie.http_only or "Http-" not in prefix,
            "host-only (FALSE)": cookie.host_only or "Host-" not in prefix,
            "Path=/": cookie.path == "/" or "Host-" not in prefix,
        }
        missing = [need for need, is_there in needs.items() if not is_there]
        return {"prefix": prefix, "needs": ", ".join(missing)} if missing else None
    return None


def _large(found: Found, cookie: Cookie, now_ns: int) -> Row | None:
    size = len(cookie.name) + len(cookie.value.value)
    return None if size <= MAX_PAIR_BYTES else {"size_bytes": size, "most_bytes": MAX_PAIR_BYTES}  # §5.6 step 5


def _characters(found: Found, cookie: Cookie, now_ns: int) -> Row | None:
    """What no Set-Cookie line could have set (6265bis §5.6), so that no server reads it as it stands here."""
    name, value = cookie.name, cookie.value.value
    if has_control_character(name + value):
        return {"is_control": True}
    return {"is_control": False} if b";" in name + value or b"=" in name else None


def _dot(found: Found, cookie: Cookie, now_ns: int) -> Row | None:
    """Python's http.cookiejar fails on the whole file where dot and flag do not agree."""
    has_dot = found.domain.startswith(".")
    return None if has_dot is not cookie.host_only else {"has_dot": has_dot}


def _address(found: Found, cookie: Cookie, now_ns: int) -> Row | None:
    return None if cookie.host_only or not is_ip(cookie.domain) else {"domain": cookie.domain}


def _no_secure(found: Found, cookie: Cookie, now_ns: int) -> Row | None:
    return {} if not cookie.secure and _is_session(cookie) else None


def _no_http_only(found: Found, cookie: Cookie, now_ns: int) -> Row | None:
    return {} if not cookie.http_only and _is_session(cookie) else None


def _is_session(cookie: Cookie) -> bool:
    is_persistent = cookie.expires_ns is not None
    return names_session(cookie.name, cookie.value.value, http_only=cookie.http_only, is_persistent=is_persistent)


_CHECKS: Final[dict[str, Callable[[Found, Cookie, int], Row | None]]] = {
    "expired": _expired,
    "lives-long": _lives_long,
    "public-suffix": _suffix,
    "prefix": _prefix,
    "too-large": _large,
    "characters": _characters,
    "address-below": _address,
    "dot-differs": _dot,
    "no-secure": _no_secure,
    "no-http-only": _no_http_only,
}
