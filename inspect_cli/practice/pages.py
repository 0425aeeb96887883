"""Short plain pages: a title, a few sentences, links and forms."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from starlette.responses import HTMLResponse


def page(title: str, *parts: str, status: int = 200, set_cookies: Iterable[str] = ()) -> HTMLResponse:
    """A page from ready HTML parts; the title is escaped. Each Set-Cookie line becomes a field."""
    text = (
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>\n'
        f"<h1>{escape(title)}</h1>\n" + "\n".join(parts) + '\n<p><a href="/">front page</a></p></html>\n'
    )
    response = HTMLResponse(text, status)
    for line in set_cookies:
        response.headers.append("set-cookie", line)
    return response


def says(*sentences: str) -> str:
    return "<p>" + escape(" ".join(sentences)) + "</p>"


def items(rows: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(row)}</li>" for row in rows) + "</ul>"


def form(action: str, button: str, fields: Sequence[tuple[str, str, str]] = ()) -> str:
    """A POST form; a field is (name, type, value)."""
    inputs = "".join(
        f'<label>{escape(name)} <input name="{escape(name)}" type="{escape(kind)}" value="{escape(value)}"></label> '
        for name, kind, value in fields
    )
    return f'<form method="post" action="{escape(action)}">{inputs}<button>{escape(button)}</button></form>'


def route_list(routes: Iterable[tuple[str, str, str]], *, linked: bool) -> str:
    """Routes as (method, path, sentence); `linked`: those that a click can open are links."""
    rows = []
    for method, path, sentence in routes:
        name = escape(path)
        if linked and method == "GET" and "{" not in path:
            name = f'<a href="{name}">{name}</a>'
        rows.append(f"<li><code>{escape(method)} {name}</code> {escape(sentence)}</li>")
    return "<ul>" + "\n".join(rows) + "</ul>"
