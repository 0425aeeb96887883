"""The Set-Cookie lines of the site, good, odd and bad."""

from __future__ import annotations

import time
from email.utils import formatdate
from typing import Final

SESSION_NAME: Final = "sid"
THEME_NAME: Final = "theme"
CART_NAME: Final = "cart"
HOP_NAME: Final = "hop"

DAY_S: Final = 86_400
THEME_MAX_AGE_S: Final = 30 * DAY_S

# 6265bis §5.6 lets a user agent ignore a cookie whose name and value have more than 4096 octets.
TOO_LONG: Final = "x" * 4097


def session(session_id: str) -> str:
    """No Max-Age: it ends with the browser. No Secure: the site is plain http."""
    return f"{SESSION_NAME}={session_id}; Path=/; HttpOnly; SameSite=Lax"


def session_gone() -> str:
    """A cookie is deleted by storing it, same name, domain and path, with a time that is over."""
    return f"{SESSION_NAME}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"


def theme(name: str) -> str:
    """Persistent: it is still there when the browser was closed."""
    return f"{THEME_NAME}={name}; Path=/; Max-Age={THEME_MAX_AGE_S}; SameSite=Lax"


def cart(count: int) -> str:
    """Only for /shop and what lies beneath it."""
    return f"{CART_NAME}={count}; Path=/shop; SameSite=Lax"


def hop(name: str) -> str:
    return f"{HOP_NAME}={name}; Path=/redirect; SameSite=Lax"


def every_attribute(host: str) -> tuple[str, ...]:
    """One cookie for each attribute and name prefix; `host` is the name the client asked for."""
    tomorrow = formatdate(time.time() + DAY_S, usegmt=True)
    return (
        "plain=1",
        "expires=1; Expires=" + tomorrow,
        f"max_age=1; Max-Age={DAY_S}",
        f"both_times=1; Max-Age=60; Expires={tomorrow}",
        f"domain=1; Domain={host}",
        "path=1; Path=/cookies",
        "secure=1; Secure",
        "http_only=1; HttpOnly",
        "strict=1; SameSite=Strict",
        "lax=1; SameSite=Lax",
        "none=1; SameSite=None; Secure",
        "partitioned=1; Secure; SameSite=None; Path=/; Partitioned",
        "__Secure-prefixed=1; Secure",
        "__Host-prefixed=1; Secure; Path=/",
        "unknown=1; Colour=blue",
    )


def bad_practice() -> tuple[str, ...]:
    """What one should not do; many of these lines are refused by clients that follow 6265bis."""
    return (
        "PHPSESSID=12345",  # a session ID without any flag, and easily guessed
        "forever=1; Max-Age=315360000",  # ten years; 6265bis §5.5 caps at 400 days
        "none_without_secure=1; SameSite=None",
        "__Host-domain=1; Secure; Path=/; Domain=127.0.0.1",
        "__Secure-without=1",
        "wrong_domain=1; Domain=example.com",
        "public_suffix=1; Domain=com",
        "wrong_path=1; Path=shop",  # no leading slash: the default path is taken
        f"too_long={TOO_LONG}",
        "password=hunter2; Path=/",
        "=nameless",
    )
