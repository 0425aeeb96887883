"""A cookie as the JSON of `cookie why` and `cookie jar` begins to tell it."""

from __future__ import annotations

from typing import Any

from inspect_cli.cookies.cookie import Cookie
from inspect_cli.render.redact import Redactor
from inspect_cli.render.values import exact_text


def path_text(cookie: Cookie) -> str:
    """Its path; a cookie keeps octets as Latin-1."""
    return exact_text(cookie.path.encode("latin-1", "replace"))


def cookie_row(cookie: Cookie, redactor: Redactor) -> dict[str, Any]:
    """Which cookie it is, and whose."""
    return {
        "name": exact_text(cookie.name),
        "value": exact_text(redactor.shown(cookie.value)),
        "domain": cookie.domain,
        "host_only": cookie.host_only,
        "path": path_text(cookie),
    }
