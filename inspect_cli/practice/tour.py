"""What the commands do where no URL is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class TourStep:
    """One request of the tour; `form` is sent as application/x-www-form-urlencoded."""

    method: str
    path: str
    form: tuple[tuple[str, str], ...] = ()


TOUR: Final = (
    # hands out theme (persistent) and sid (an anonymous session)
    TourStep("GET", "/"),
    # both come back; hands out cart, which is for /shop alone
    TourStep("GET", "/shop"),
    # cart is withheld; sid gets a new value, because the visitor now has a name
    TourStep("POST", "/login", (("name", "alice"), ("password", "practice"))),
    # the new sid comes back, and the server knows who asks
    TourStep("GET", "/account"),
    # sid is deleted, here and in the server
    TourStep("POST", "/logout"),
)

WS_TOUR: Final = ("Hello", "안녕하세요, WebSocket!")
