"""Server-side sessions: the cookie carries only an ID; what it stands for stays here."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

ID_BYTES: Final = 16
"""128 random bits; NIST SP 800-63B asks for 64 at least."""
MAX_SESSIONS: Final = 1_000


@dataclass(slots=True)
class Session:
    """What the server knows about one visitor; `name` is "" before login."""

    id: str
    name: str = ""
    cart: list[str] = field(default_factory=list)


class SessionStore:
    """Sessions by ID, in memory; beyond MAX_SESSIONS the one unused for longest goes."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[str, Session] = OrderedDict()

    def __len__(self) -> int:
        return len(self._sessions)

    def find(self, session_id: str) -> Session | None:
        """The session with this ID, if the server made it and has not dropped it."""
        session = self._sessions.get(session_id)
        if session is not None:
            self._sessions.move_to_end(session_id)
        return session

    def begin(self) -> Session:
        return self._keep(Session(secrets.token_hex(ID_BYTES)))

    def log_in(self, session: Session, name: str) -> Session:
        """The same session under a new ID, now with a name; the old ID is worth nothing.

        Else somebody who planted an ID before the login would share the session (session fixation).
        """
        self.end(session)
        return self._keep(Session(secrets.token_hex(ID_BYTES), name, session.cart))

    def end(self, session: Session) -> None:
        self._sessions.pop(session.id, None)

    def _keep(self, session: Session) -> Session:
        self._sessions[session.id] = session
        while len(self._sessions) > MAX_SESSIONS:
            self._sessions.popitem(last=False)
        return session
