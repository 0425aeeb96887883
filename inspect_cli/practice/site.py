"""The practice site as an ASGI application, and the table of its routes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from inspect_cli.practice import answers, site_sockets
from inspect_cli.practice.accounts import Accounts
from inspect_cli.practice.pages import route_list, says
from inspect_cli.practice.raw import RAW_ROUTES
from inspect_cli.practice.sessions import SessionStore

Page = Callable[[Request], Awaitable[Response]]
Socket = Callable[[WebSocket], Awaitable[None]]

ROUTES: Final = (
    ("GET", "/", "front page; hands out theme (persistent) and sid (anonymous session)"),
    ("GET", "/login", "login form"),
    ("POST", "/login", "gives the session a name and a new ID"),
    ("GET", "/account", "needs a session with a name; 401 without"),
    ("POST", "/logout", "drops the session and deletes its cookie"),
    ("GET", "/shop", "hands out cart, whose path is /shop"),
    ("POST", "/shop/cart", "puts a thing into the cart"),
    ("GET", "/cart", "not beneath /shop, so cart is withheld"),
    ("GET", "/theme/{name}", "light or dark, for 30 days"),
    ("GET", "/chat", "a page that talks over /ws/chat"),
    ("GET", "/cookies", "what the Cookie field held"),
    ("GET", "/cookies/all", "a cookie of every attribute"),
    ("GET", "/cookies/bad", "cookies of bad practice"),
    ("GET", "/redirect", "302 with a cookie, then the target"),
    ("GET", "/redirect/target", "says whether the cookie came along"),
    ("GET", "/redirect/loop", "302 to itself, for ever"),
    ("GET", "/close", "Connection: close"),
    ("GET", "/gzip", "a gzip body, if the client accepts it"),
    ("GET", "/chunked", "a body in chunks"),
    ("GET", "/status/{code}", "this status code, 200 to 599"),
    ("GET", "/slow", "an answer after ?ms=1000 milliseconds"),
    ("GET", "/size/{count}", "a body of this many bytes"),
    ("POST", "/echo", "the body comes back"),
    ("WS", "/ws/echo", "messages come back; speaks chat and superchat"),
    ("WS", "/ws/push", "three messages that nobody asked for"),
    ("WS", "/ws/close/{code}", "closes at once with this code"),
    ("WS", "/ws/refuse/{status}", "refused with this status, 400 to 599"),
    ("WS", "/ws/origin", "only for pages of this site; 403 for others"),
    ("WS", "/ws/account", "needs a session with a name; 401 without"),
    ("WS", "/ws/chat", "everybody hears what anybody says"),
)
"""(method, path, what it shows); WS is a WebSocket upgrade. The order is that of the front page."""

_CHAT_PAGE: Final = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Chat</title>
<h1>Chat</h1><form><input autofocus> <button>say</button></form><ul></ul>
<script>
const socket = new WebSocket(`ws://${location.host}/ws/chat`, ["chat"]);
const [form, input, list] = ["form", "input", "ul"].map(name => document.querySelector(name));
form.onsubmit = event => { event.preventDefault(); socket.send(input.value); input.value = ""; };
socket.onmessage = event => {
  list.appendChild(document.createElement("li")).textContent = event.data;
};
</script></html>
"""


def _route_lists() -> str:
    return (
        f"<h2>Here</h2>{route_list(ROUTES, linked=True)}"
        + says(
            "/ws/... are WebSockets.", "The server that misbehaves has a port of its own; inspect-cli serve prints it."
        )
        + f"<h2>On the server that misbehaves</h2>{route_list(RAW_ROUTES, linked=False)}"
    )


async def _chat_page(request: Request) -> Response:
    return HTMLResponse(_CHAT_PAGE)


def make_site(stopping: asyncio.Event) -> Starlette:
    """A site of its own: its sessions are nobody else's. Slow pages end when `stopping` is set."""
    accounts = Accounts(SessionStore(), _route_lists())
    pages: dict[tuple[str, str], Page] = {
        ("GET", "/"): accounts.front,
        ("GET", "/login"): accounts.login_form,
        ("POST", "/login"): accounts.login,
        ("GET", "/account"): accounts.account,
        ("POST", "/logout"): accounts.logout,
        ("GET", "/shop"): accounts.shop,
        ("POST", "/shop/cart"): accounts.add_to_cart,
        ("GET", "/cart"): accounts.cart,
        ("GET", "/theme/{name}"): accounts.theme,
        ("GET", "/chat"): _chat_page,
        ("GET", "/cookies"): answers.cookies,
        ("GET", "/cookies/all"): answers.cookies_all,
        ("GET", "/cookies/bad"): answers.cookies_bad,
        ("GET", "/redirect"): answers.redirect,
        ("GET", "/redirect/target"): answers.redirect_target,
        ("GET", "/redirect/loop"): answers.redirect_loop,
        ("GET", "/close"): answers.close,
        ("GET", "/gzip"): answers.gzipped,
        ("GET", "/chunked"): answers.chunked,
        ("GET", "/status/{code}"): answers.status,
        ("GET", "/slow"): answers.slow,
        ("GET", "/size/{count}"): answers.size,
        ("POST", "/echo"): answers.echo,
    }
    sockets: dict[str, Socket] = {
        "/ws/echo": site_sockets.echo,
        "/ws/push": site_sockets.push,
        "/ws/close/{code}": site_sockets.close,
        "/ws/refuse/{status}": site_sockets.refusal,
        "/ws/origin": site_sockets.same_origin,
        "/ws/account": site_sockets.Members(accounts).greet,
        "/ws/chat": site_sockets.Chat().talk,
    }
    app = Starlette(routes=[_route(method, path, pages, sockets) for method, path, _ in ROUTES])
    app.state.stopping = stopping
    return app


def _route(method: str, path: str, pages: dict[tuple[str, str], Page], sockets: dict[str, Socket]) -> BaseRoute:
    numbered = (
        path.replace("{code}", "{code:int}").replace("{status}", "{status:int}").replace("{count}", "{count:int}")
    )
    if method == "WS":
        return WebSocketRoute(numbered, sockets[path])
    return Route(numbered, pages[method, path], methods=[method])
