"""Who closed first, and who tells the end."""

from __future__ import annotations

from inspect_cli.protocols.http1_talk import HttpTalk, Upgraded
from inspect_cli.protocols.websocket import WEBSOCKET
from inspect_cli.protocols.websocket_messages import Deflate
from inspect_cli.protocols.websocket_talk import make_talk
from tests.protocols.conversation import CLIENT, SERVER, C, S, Said, kinds, read, talk
from tests.protocols.frames import close, frame, masked


def test_what_was_negotiated_comes_from_the_answer() -> None:
    http = HttpTalk()
    deflate, others, unknown = (make_talk(Upgraded(http, value)) for value in (b"permessage-deflate", b"x-other", None))

    assert (Deflate(), False, http) == (deflate.deflate, deflate.allows_rsv, deflate.before)
    assert (None, True) == (others.deflate, others.allows_rsv)
    assert (None, True) == (unknown.deflate, unknown.allows_rsv)
    assert (None, True, None) == (make_talk(None).deflate, make_talk(None).allows_rsv, make_talk(None).before)


def test_closes_that_cross_are_judged_by_their_frames() -> None:
    first, second = C(masked(8, close(1000))), S(frame(8, close(1001)))

    assert [(CLIENT, None), (SERVER, 1000)] == answers(first, second)
    assert [(SERVER, None), (CLIENT, 1001)] == answers(second, first)


def test_closes_that_sockets_told_are_judged_as_they_came() -> None:
    """Without frames every place is the same."""
    first, second = C(masked(8, close(1000))), S(frame(8, close(1001)))
    for said in ((first, second), (second, first)):
        run = read(WEBSOCKET, said, (1,), reported=True)
        assert [(said[0].side, None), (said[1].side, 1000 if said[0] is first else 1001)] == [
            (row[1], row[4]) for row in kinds([event for _, _, event in run.placed], "websocket-close")
        ]


def answers(*said: Said) -> list[tuple[object, object]]:
    events = talk(WEBSOCKET, *said, ordered=True)
    return [(row[1], row[4]) for row in kinds(events, "websocket-close")]


def test_end_is_told_once_whoever_ends_first() -> None:
    events = talk(WEBSOCKET, S(frame(1, b"a")), C(masked(1, b"a")))

    assert [("websocket-end", None, None, 1, 1)] == kinds(events, "websocket-end")
    assert [("websocket-end", None, None, 0, 0)] == kinds(talk(WEBSOCKET), "websocket-end")
