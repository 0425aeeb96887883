"""UDP: what TCP does and it does not."""

from __future__ import annotations

from collections.abc import Iterable

from inspect_cli.concepts.base import Concept
from inspect_cli.events.base import Annotation, Event
from inspect_cli.events.udp import UdpConversation


class Udp(Concept):
    """Datagrams go without a connection: said once, of the first one."""

    id = "udp"
    reference = "RFC 768"
    watches = (UdpConversation,)
    codes = ("udp.no-handshake",)

    def __init__(self) -> None:
        self._is_said = False

    def see(self, event: Event) -> Iterable[Annotation]:
        if self._is_said or not isinstance(event, UdpConversation):
            return ()
        self._is_said = True
        return (self.note(event, "no-handshake"),)
