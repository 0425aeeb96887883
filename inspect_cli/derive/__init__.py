"""Events to further events, without words.

Knows: what follows from events: a request paired, a cookie stored or withheld, a session issued.
Does not know: bytes, packets, words, or any concept.
Hands on: events that name their cause.
"""

from inspect_cli.derive.base import Deriver
from inspect_cli.derive.exchanges import Exchanges
from inspect_cli.derive.jar import Jars
from inspect_cli.derive.logins import Logins
from inspect_cli.derive.sessions import Sessions
from inspect_cli.derive.websockets import WebSockets

# The order matters: a login is said before the cookies of its answer are decided, and what
# became of the session is concluded after them.
DERIVERS: tuple[type[Deriver], ...] = (Exchanges, WebSockets, Logins, Jars, Sessions)


def make_derivers(profile: str | None) -> list[Deriver]:
    """One of each; `profile` decides for all clients, None: the one that is known of each."""
    return [Jars(profile) if kind is Jars else kind() for kind in DERIVERS]
