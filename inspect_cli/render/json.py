"""The JSON contract as a stream: `ndjson` (one object a line) and `json` (one document).

Written by orjson with its defaults (UTF-8, no spaces, keys in the order of the contract);
characters that a terminal might obey (C1 and bidi controls) are written `\\uNNNN`, which
reads back as the same text. Neither form keeps entries; `json` spools its connections.
"""

from __future__ import annotations

import json
import re
from tempfile import SpooledTemporaryFile
from typing import Any, Final, TextIO

import orjson

from inspect_cli.events.base import Entry
from inspect_cli.events.summary import SCHEMA, Capture, Tally
from inspect_cli.events.tcp import Connection
from inspect_cli.render.base import Sink, comes_slowly
from inspect_cli.render.rows import EntryRow, RowMaker, capture_row, connection_row, summary_row
from inspect_cli.render.select import Select

SPOOLED_BYTES: Final = 4 << 20
"""Connections of a `json` document wait in memory up to this size, then in a file without a name."""

# DEL, C1 controls, and what changes the direction or the breaking of a line:
# U+061C, U+200B-200F, U+2028-202E, U+2060-206F, U+FEFF as UTF-8.
_OBEYED: Final = re.compile(
    rb"\x7f|\xc2[\x80-\x9f]|\xd8\x9c|\xe2\x80[\x8b-\x8f\xa8-\xae]|\xe2\x81[\xa0-\xaf]|\xef\xbb\xbf"
)

_PLAIN: Final = bytes(range(0x20, 0x7F))


def encoded(value: Any) -> bytes:
    """A value of the contract as JSON in UTF-8, without a line break and without what terminals obey."""
    try:
        data = orjson.dumps(value)
    except TypeError:
        # Text with lone surrogates, or a number beyond 64 bits: rare, so slow is good enough.
        data = json.dumps(_mended(value), ensure_ascii=False, separators=(",", ":")).encode()
    # Clauses are cited with a section sign; few rows hold anything else beyond ASCII.
    if not data.translate(None, _PLAIN).replace(b"\xc2\xa7", b""):
        return data
    return _OBEYED.sub(lambda m: b"\\u%04x" % ord(m[0].decode()), data)


def _mended(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_mended(name): _mended(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_mended(item) for item in value]
    return value


class _Written:
    """What both forms share: rows made, filtered and counted, and the bytes' way out."""

    def __init__(self, out: TextIO, maker: RowMaker, select: Select | None = None) -> None:
        self._sink = Sink(out)
        self._maker = maker
        self._select = select
        self._capture: Capture | None = None
        self._entries = 0

    def _row(self, entry: Entry) -> EntryRow | None:
        """The entry as a row, None for one that the filter hides."""
        if self._capture is not None:
            # The names of its files are known by now: standard input comes slowly too.
            self._sink.flushes = comes_slowly(self._capture)
            self._capture = None
        row = self._maker.row(entry)
        return row if self._select is None or self._select.shows(row) else None

    def _begin(self, capture: Capture) -> None:
        self._capture = capture
        self._sink.flushes = comes_slowly(capture)

    def _let_go(self, connection: Connection) -> bytes:
        """The connection as JSON; its hosts are forgotten."""
        if self._select is not None:
            self._select.let_go(connection.channel)
        return encoded(connection_row(connection))


class NdjsonRenderer(_Written):
    """`{"type":"capture",...}` first, entries and connections as they come, `{"type":"summary",...}` last."""

    def begin(self, capture: Capture) -> None:
        self._begin(capture)
        self._line(b'{"type":"capture","schema":%s,' % encoded(SCHEMA), encoded(capture_row(capture)))

    def entry(self, entry: Entry) -> None:
        row = self._row(entry)
        if row is not None:
            self._line(b'{"type":"entry",', encoded(row))

    def connection(self, connection: Connection) -> None:
        self._line(b'{"type":"connection",', self._let_go(connection))

    def end(self, capture: Capture, tally: Tally) -> None:
        whole = {"capture": capture_row(capture), "summary": summary_row(tally)}
        self._line(b'{"type":"summary",', encoded(whole))
        self._sink.flush()

    def _line(self, head: bytes, row: bytes) -> None:
        self._sink.write(head + row[1:] + b"\n")


class JsonRenderer(_Written):
    """One document, an entry a line: `schema`, `entries`, `connections`, `capture`, `summary`."""

    _connections: SpooledTemporaryFile[bytes] | None = None

    def begin(self, capture: Capture) -> None:
        self._begin(capture)
        self._sink.write(b'{"schema":%s,\n"entries":[' % encoded(SCHEMA))

    def entry(self, entry: Entry) -> None:
        row = self._row(entry)
        if row is not None:
            self._sink.write((b",\n" if self._entries else b"\n") + encoded(row))
            self._entries += 1

    def connection(self, connection: Connection) -> None:
        data = self._let_go(connection)
        if self._connections is None:
            self._connections = SpooledTemporaryFile(max_size=SPOOLED_BYTES)  # noqa: SIM115 - closed by end()
            self._connections.write(b"\n" + data)
        else:
            self._connections.write(b",\n" + data)

    def end(self, capture: Capture, tally: Tally) -> None:
        self._sink.write(b'],\n"connections":[')
        if self._connections is not None:
            with self._connections as spooled:
                spooled.seek(0)
                while piece := spooled.read(1 << 16):
                    self._sink.write(piece)
        self._sink.write(b'],\n"capture":' + encoded(capture_row(capture)))
        self._sink.write(b',\n"summary":' + encoded(summary_row(tally)) + b"}\n")
        self._sink.flush()
