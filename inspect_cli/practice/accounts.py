"""Pages that know their visitor: front page, login, account, shop, theme."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from inspect_cli.practice import cookie_lines
from inspect_cli.practice.pages import form, items, page, says
from inspect_cli.practice.sessions import Session, SessionStore

PASSWORD: Final = "practice"
GOODS: Final = ("apple", "pear", "plum")
MAX_CART: Final = 100
MAX_FORM_BYTES: Final = 64 << 10
_LOGIN_FIELDS: Final = (("name", "text", "alice"), ("password", "password", PASSWORD))


class Accounts:
    """The endpoints that need the session store."""

    def __init__(self, store: SessionStore, lists: str) -> None:
        """`lists` is HTML that the front page shows beneath its greeting."""
        self._store = store
        self._lists = lists

    def visitor(self, cookies: dict[str, str]) -> Session | None:
        return self._store.find(cookies.get(cookie_lines.SESSION_NAME, ""))

    async def front(self, request: Request) -> Response:
        """Greet, list the routes, hand out the first two cookies."""
        session = self.visitor(request.cookies)
        lines = []
        if cookie_lines.THEME_NAME not in request.cookies:
            lines.append(cookie_lines.theme("light"))
        if session is None:
            session = self._store.begin()
            lines.append(cookie_lines.session(session.id))
        greeting = says(f"Hello, {session.name or 'stranger'}.", "A site to practise on: cookies, sessions, sockets.")
        return page("Practice site", greeting, self._lists, set_cookies=lines)

    async def login_form(self, request: Request) -> Response:
        return page("Login", says(f"Any name; the password is {PASSWORD}."), form("/login", "log in", _LOGIN_FIELDS))

    async def login(self, request: Request) -> Response:
        """Check the password, then give the session a new ID."""
        fields = await read_form(request)
        name = fields.get("name", "")[:64]
        if not name or fields.get("password") != PASSWORD:
            return page("Wrong name or password", form("/login", "log in", _LOGIN_FIELDS), status=403)
        session = self._store.log_in(self.visitor(request.cookies) or self._store.begin(), name)
        return see_other("/account", cookie_lines.session(session.id))

    async def account(self, request: Request) -> Response:
        session = self.visitor(request.cookies)
        if session is None or not session.name:
            return page("Not logged in", says("This page is for those who logged in."), status=401)
        return page(
            f"Account of {session.name}",
            says("The request carried only an ID. Your name comes from the server's memory."),
            form("/logout", "log out"),
        )

    async def logout(self, request: Request) -> Response:
        """Drop the session here, and ask the client to drop its cookie."""
        session = self.visitor(request.cookies)
        if session is not None:
            self._store.end(session)
        return see_other("/", cookie_lines.session_gone())

    async def shop(self, request: Request) -> Response:
        session = self.visitor(request.cookies)
        cart = session.cart if session else []
        missing = cookie_lines.CART_NAME not in request.cookies
        return page(
            "Shop",
            *(form("/shop/cart", f"buy: {name}", (("item", "hidden", name),)) for name in GOODS),
            says("In your cart:") + items(cart),
            set_cookies=[cookie_lines.cart(len(cart))] if missing else [],
        )

    async def add_to_cart(self, request: Request) -> Response:
        """Put one thing into the visitor's cart; begins a session where there is none."""
        item = (await read_form(request)).get("item", "")
        if item not in GOODS:
            return page("No such thing", status=404)
        session = self.visitor(request.cookies)
        lines = []
        if session is None:
            session = self._store.begin()
            lines.append(cookie_lines.session(session.id))
        if len(session.cart) < MAX_CART:
            session.cart.append(item)
        return see_other("/shop", *lines, cookie_lines.cart(len(session.cart)))

    async def cart(self, request: Request) -> Response:
        came = cookie_lines.CART_NAME in request.cookies
        return page(
            "Cart",
            says(
                f"The cookie {cookie_lines.CART_NAME} did {'' if came else 'not '}come with this request.",
                "Its path is /shop, and this page is not beneath it.",
            ),
        )

    async def theme(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in ("light", "dark"):
            return page("No such theme", status=404)
        return see_other("/", cookie_lines.theme(name))


async def read_form(request: Request) -> dict[str, str]:
    """The fields of an urlencoded body; what is larger than MAX_FORM_BYTES counts as empty."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_FORM_BYTES:
            return {}
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


def see_other(path: str, *set_cookies: str) -> Response:
    """303: after a POST, GET this (RFC 9110 §15.4.4)."""
    response = RedirectResponse(path, 303)
    for line in set_cookies:
        response.headers.append("set-cookie", line)
    return response
