"""Frame headers against two other implementations, and the words of REFERENCE."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.exceptions import ProtocolError
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from inspect_cli.protocols.websocket_rules import (
    PROBLEMS,
    close_problems,
    header_problems,
    header_size,
    read_header,
)
from tests.protocols.frames import frame


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(list(Opcode)),
    st.booleans(),
    st.integers(0, 70_000),
    st.booleans(),
)
def test_header_is_what_websockets_writes(opcode: Opcode, fin: bool, size: int, mask: bool) -> None:
    size = size % 126 if opcode >= 8 else size
    fin = fin or opcode >= 8
    data = Frame(opcode, bytes(size), fin).serialize(mask=mask)
    header = read_header(data)

    assert (fin, 0, opcode, mask, size) == (header.fin, header.rsv, header.opcode, header.masked, header.size)
    assert len(data) == header.header_bytes + size == header_size(data) + size
    assert data[header.header_bytes - 4 : header.header_bytes] == header.key or not mask
    assert [] == [word for word in header_problems(header, from_client=mask) if word != "mask-key-zero"]


@settings(max_examples=200, deadline=None)
@given(st.binary(min_size=14, max_size=14))
def test_what_websockets_refuses_has_a_word_here(data: bytes) -> None:
    header = read_header(data)
    reader = StreamReader()
    reader.feed_data(data + bytes(min(header.size, 100_000)))
    reader.feed_eof()
    parser = Frame.parse(reader.read_exact, mask=header.masked, max_size=None, extensions=[])
    try:
        while True:
            next(parser)
    except ProtocolError:
        assert header.rsv or header_problems(header, from_client=header.masked)
    except (StopIteration, EOFError):
        pass


def test_close_bodies_are_judged_as_a_whole() -> None:
    assert [] == close_problems(b"", 0, from_client=True)
    assert [("close-body-one-byte", b"x")] == close_problems(b"x", 1, from_client=True)
    assert [("close-code-out-of-range", b"999"), ("close-reason-invalid-utf8", b"\xff")] == close_problems(
        b"\x03\xe7\xff", 3, from_client=True
    )


def test_close_reason_with_a_hole_is_not_judged() -> None:
    assert [] == close_problems(b"\x03\xe8\xe2", 5, from_client=True)


def test_every_problem_cites_its_clause() -> None:
    assert all(reference.startswith(("RFC 6455 §", "RFC 7692 §")) for _, reference in PROBLEMS.values())
    assert 2 == header_size(frame(9))
    assert 14 == header_size(frame(2, b"a" * 65_536, key=b"abcd"))
