"""The targets: a function of bytes for each reader, which raises where we are wrong.

A target takes any bytes whatsoever, and holds what must be true for all of them: no exception
but those meant for users, and the same however the bytes arrive.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import sys
from collections.abc import Callable, Iterable
from functools import partial
from itertools import pairwise
from typing import Any, Final

import lz4.frame
import numpy as np

from inspect_cli.cookies import Jar, StoreDecision, netscape, parse_cookie_header, parse_set_cookie
from inspect_cli.cookies.dates import EARLIEST_NS, parse_date
from inspect_cli.cookies.netscape import read as read_netscape
from inspect_cli.errors import InspectError
from inspect_cli.events.base import Entry
from inspect_cli.events.calls import Call, Context
from inspect_cli.events.cookies import Asking
from inspect_cli.events.summary import Capture, CaptureFile
from inspect_cli.render import make_renderer
from inspect_cli.sources.har import HarReader
from inspect_cli.timeline import Timeline
from inspect_cli.wire.capture_file import HarBegins, open_capture
from inspect_cli.wire.fragments import FragmentNote
from inspect_cli.wire.frames import Frames
from inspect_cli.wire.notes import TAG, read_notes, write_note
from inspect_cli.wire.packets import Decoder
from inspect_cli.wire.pcapng_blocks import MAX_NAME_BYTES, names_at_end
from inspect_cli.wire.unpacking import Unpacked
from tests.fuzz.plans import datagrams_of_plan, frames_of_plan, pcap_of_plan, pcapng_of_plan, segments_of_plan
from tests.reading import tell
from tests.streams.segments import frames_of
from tests.wire.making import plain

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

Target = Callable[[bytes], None]
SMALL_BATCH: Final = 64
NOW_NS: Final = 1_800_000_000 * 10**9


def pcap(data: bytes) -> None:
    """A pcap file; behind an odd first byte the records of one, whose lengths are right."""
    _one_way(pcap_of_plan(data[1:]) if data[:1] and data[0] & 1 else data[1:])


def pcapng(data: bytes) -> None:
    """A pcapng file; behind an odd first byte the blocks of one, whose lengths are right."""
    whole = pcapng_of_plan(data[1:]) if data[:1] and data[0] & 1 else data[1:]
    _one_way(whole)
    for _, name in names_at_end(whole):
        assert len(name) <= MAX_NAME_BYTES


def packed(data: bytes) -> None:
    """A compressed file; behind an odd first byte a file to be compressed, and cut or not."""
    if not data[:1] or not data[0] & 1:
        _one_way(data[1:])
        return
    kind, plain_bytes = data[0] >> 1, data[1:]
    squeezed = PACKERS[kind % len(PACKERS)](plain_bytes)
    if kind & 64:
        _one_way(squeezed[: -1 - kind % 64])
    elif not Unpacked(io.BytesIO(plain_bytes)).is_packed:  # what is packed twice is unpacked once
        assert _read(plain_bytes)[0] == _read(squeezed)[0], "compression changed what was read"


PACKERS: Final[tuple[Callable[[bytes], bytes], ...]] = (
    partial(gzip.compress, compresslevel=1, mtime=0),
    zstd.compress,
    lz4.frame.compress,
)


def _one_way(data: bytes) -> None:
    """What is read depends on the bytes alone, not on the batches."""
    whole, said = _read(data)
    again, said_again = _read(data, SMALL_BATCH)
    assert whole == again, "the batch size changed what was read"
    assert said == said_again, "the batch size changed the problem"


def _read(data: bytes, batch_bytes: int = 1 << 20) -> tuple[list[Any], Any]:
    try:
        reader = open_capture(io.BytesIO(data), "x", batch_bytes=batch_bytes)
        items = plain(reader)
    except InspectError as problem:
        return [], (problem.code, problem.data)
    except HarBegins as found:
        return [], ("har", {"begun": found.begun[:4]})
    assert reader.complete is (reader.error is None)
    error = reader.error and (reader.error.code, reader.error.data)
    return items, (error, reader.drops, reader.interfaces, reader.frames)


def decode(data: bytes) -> None:
    """Frames of any link type: as one batch, in two, and one by one."""
    frames = frames_of_plan(data)
    whole = _decoded([frames])
    half = len(frames) // 2
    assert whole == _decoded([frames.part(0, half), frames.part(half, len(frames))]), "two batches differ"
    assert whole == _decoded([frames.part(i, i + 1) for i in range(len(frames))]), "single frames differ"


def _decoded(parts: Iterable[Frames]) -> tuple[list[Any], list[FragmentNote]]:
    """All packets, the frames that gave none, and what became of fragments, in frame order."""
    decoder = Decoder()
    rows: list[Any] = []
    notes: list[FragmentNote] = []
    last = 0
    for frames in parts:
        if not len(frames):
            continue
        packets = decoder.decode(frames)
        last = frames.first_number + len(frames) - 1
        for i in range(len(packets)):
            at, size = int(packets.payload_offset[i]), int(packets.payload_captured[i])
            option = int(packets.options_offset[i])
            columns = [int(column[i]) for column in _columns(packets)]
            assert 0 <= size <= packets.payload_size[i], "more payload than there is"
            assert 0 <= at <= at + size <= len(packets.buffer), "payload outside of the buffer"
            options = bytes(packets.buffer[option : option + int(packets.options_size[i])])
            rows.append((columns[0], "packet", columns, bytes(packets.buffer[at : at + size]), options))
        rows += [(frames.first_number + u.row, "undecoded", u.reason, u.detail) for u in packets.undecoded]
        notes += packets.fragments
    notes += decoder.close(last)
    return sorted(rows, key=lambda row: row[:2]), sorted(notes)


def _columns(packets: Any) -> list[np.ndarray[Any, Any]]:
    names = "number time_ns version protocol source_hi source_lo target_hi target_lo source_port target_port"
    names += " seq ack flags window payload_captured payload_size"
    return [getattr(packets, name) for name in names.split()]


def streams(data: bytes) -> None:
    """TCP segments in any order, carrying HTTP/1 and WebSocket: rows depend on no batch."""
    segments = segments_of_plan(data[1:])
    size = data[0] % 7 + 1 if data else 1
    verbose = bool(data[:1] and data[0] & 128)
    frames = [frames_of(segments)] if segments else []
    parts = [frames_of(segments[at : at + size], at + 1) for at in range(0, len(segments), size)]
    whole = _rows(frames, verbose=verbose)
    assert whole == _rows(parts, verbose=verbose), "the batch size changed the rows"
    assert whole == _rows(frames, verbose=verbose, at_once=False), "reading runs at once changed the rows"
    _, tally = whole
    _, counted = _rows(frames, summary_only=True)
    tally.concepts = None
    assert tally == counted, "the summary counts otherwise"
    ats = [row.event.where.at for row in whole[0] if isinstance(row, Entry)]
    assert all(before <= after for before, after in pairwise(ats)), "rows out of order"


def dns(data: bytes) -> None:
    """UDP conversations with DNS in them: rows depend on no batch."""
    frames = datagrams_of_plan(data)
    whole = _rows([frames] if len(frames) else [])
    single = _rows([frames.part(i, i + 1) for i in range(len(frames))])
    assert whole == single, "the batch size changed the rows"
    _, tally = whole
    _, counted = _rows([frames] if len(frames) else [], summary_only=True)
    tally.concepts = None
    assert tally == counted, "the summary counts otherwise"


def _rows(parts: list[Frames], **options: Any) -> tuple[list[Any], Any]:
    timeline = Timeline(strict=True, **options)
    rows: list[Any] = []
    for frames in parts:
        rows += timeline.feed(frames)
    rows += timeline.close()
    return rows, timeline.tally


def cookies(data: bytes) -> None:
    """Set-Cookie lines, Cookie fields, dates and cookies.txt, one of them a line."""
    jar, silent = Jar(), Jar()
    for number, line in enumerate(data.split(b"\n")):
        date = parse_date(line)
        assert date is None or date >= EARLIEST_NS
        parse_cookie_header(line)
        parsed = parse_set_cookie(line)
        asking = Asking("https" if number & 1 else "http", "www.a.test", "/a/b")
        decision = jar.store(line, asking, NOW_NS + number)
        quick = silent.store(line, asking, NOW_NS + number, steps=False)
        assert parsed is not None or decision.cookie is None
        assert _decided(decision) == _decided(quick), "the steps change the decision"
        sent = [d.cookie for d in jar.send(asking, NOW_NS + number) if d.sent]
        field = silent.header(asking, NOW_NS + number)
        assert field == b"; ".join(_pair(cookie) for cookie in sent)
    kept = read_netscape(data.decode("utf-8", "surrogateescape"))
    text = netscape.write(kept)
    assert netscape.write(read_netscape(text)) == text, "a written cookies.txt reads otherwise"


def _decided(decision: StoreDecision) -> tuple[Any, ...]:
    return decision.stored, decision.deleted, decision.reason, decision.cookie


def _pair(cookie: Any) -> bytes:
    name, value = cookie.name, cookie.value.value
    return name + b"=" + value if name else bytes(value)


def notes(data: bytes) -> None:
    """Comments of a block, one a line: what is taken for ours was written by us, letter for letter."""
    comments = data.split(b"\n")
    for given in (comments, [TAG.encode() + comment for comment in comments]):
        items, others = read_notes(given)
        assert all(isinstance(item, Call | Context) for item in items)
        ours = [note for item in items if isinstance(item, Call | Context) for note in write_note(item)]
        texts = [comment.decode("utf-8", "replace") for comment in given]
        assert sorted([*ours, *others]) == sorted(texts), "a comment was lost, or came back otherwise"


def replay(data: bytes) -> None:
    """A whole file, read once and shown in several forms: each line of NDJSON is JSON."""
    capture = Capture("file", [CaptureFile("x", 1, 0)], [])
    shown = [_Shown(form, lang, redact) for form, lang, redact in FORMS]
    timeline = Timeline(strict=True, verbose=True)
    complete = False
    for one in shown:
        one.renderer.begin(capture)
    try:
        reader = open_capture(io.BytesIO(data), "x", interfaces=capture.interfaces)
        for item in reader:
            _show(shown, timeline.feed(item))
        complete = reader.complete
    except (InspectError, HarBegins):
        pass
    _show(shown, timeline.close(complete=complete))
    for one in shown:
        one.renderer.end(capture, timeline.tally)
        one.check()


def har(data: bytes) -> None:
    """A HAR, read whole and byte by byte: the same items, each a message that the parsers understand."""
    whole, small = HarReader(data, Unpacked(io.BytesIO()), "x"), HarReader(b"", Unpacked(_Dribble(data)), "x")
    items = list(whole)
    assert items == list(small), "the size of the pieces decides"
    assert whole.complete is (whole.error is None)
    timeline = Timeline(strict=True)
    for item in items:
        list(timeline.feed(item))
    list(timeline.close())


class _Dribble(io.RawIOBase):
    """Gives a byte at a time."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self._rest = io.BytesIO(data)

    def readinto(self, buffer: Any) -> int:
        with memoryview(buffer) as view:
            return self._rest.readinto(view[:1])


FORMS: Final = (("ndjson", "en", False), ("ndjson", "ko", True), ("text", "ko", False), ("text", "en", True))
NOT_SHOWN: Final = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
"""Control characters, which only the wire could have brought."""


class _Shown:
    """What one renderer wrote."""

    def __init__(self, form: str, lang: str, redact: bool) -> None:
        self.form = form
        self.bytes = io.BytesIO()
        self.out = io.TextIOWrapper(self.bytes, encoding="utf-8", newline="\n")
        self.renderer = make_renderer(form, self.out, lang=lang, redact=redact, verbose=True)

    def check(self) -> None:
        self.out.flush()
        text = self.bytes.getvalue().decode()
        assert NOT_SHOWN.search(text) is None, "a control character of the wire reached the output"
        if self.form == "ndjson":
            for line in text.splitlines():
                assert isinstance(json.loads(line), dict)


def _show(shown: list[_Shown], rows: Iterable[Any]) -> None:
    for row in rows:
        for one in shown:
            tell(one.renderer, row)


TARGETS: Final[dict[str, Target]] = {
    target.__name__: target for target in (pcap, pcapng, packed, decode, streams, dns, cookies, notes, replay, har)
}
