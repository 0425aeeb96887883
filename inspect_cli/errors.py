"""Errors meant for the user: each class has its exit code; its words are in texts.

    InspectError
    +-- InspectedThingFailed   1  what was inspected failed (WebSocket refused, server gone)
    |   +-- ServerGone            the server closed the connection in mid-message
    |   +-- HandshakeRefused      the answer to a WebSocket upgrade was not a correct 101
    |   +-- CheckFailed           --check, --fail or --expect found something
    +-- UsageProblem           2  what was asked for cannot be done as written
    |   +-- BadUrl                not a URL, no host, or a scheme that is not spoken here
    |   +-- NoSuchFile            a file or directory that does not exist
    |   +-- FileNotReadable       it exists but may not be read
    |   +-- OutputNotWritable     -o, -w or -c cannot be written
    |   +-- NotSupported          an option or value known to curl but not spoken here
    |   +-- BadFilter             -Y does not say what can be asked
    +-- NotPermitted           3  no right to capture, and packets were asked for
    +-- InputProblem           4  the input is unreadable as a capture, or cut off
    |   +-- NotACapture           the first bytes are of no capture format
    |   +-- NoCaptures            a directory without a capture in it
    |   +-- EmptyInput            not one byte
    |   +-- CaptureCutOff         the file ends or breaks inside a record
    |   +-- NothingDecodable      a capture in which no frame could be decoded
    |   +-- NotACookieFile        a cookies.txt without a cookie in it
    +-- HostNotFound           6
    +-- CannotConnect          7
    +-- TimedOut              28
    +-- TlsFailed             35

A class holds no words: `code` names its sentence and hint in texts (`error.CODE.sentence`,
`error.CODE.hint`), and `data` fills them in. Foreign exceptions are translated at the
door that imports the library; they are shown in one place, cli/run.py.
"""

from __future__ import annotations

from typing import ClassVar


class InspectError(Exception):
    """Something that the user can understand and mend.

    `data` fills the placeholders of the sentence; its values are str or int.
    """

    exit_code: ClassVar[int] = 1
    code: ClassVar[str] = "inspect"

    def __init__(self, **data: str | int) -> None:
        super().__init__(self.code, data)
        self.data = data


class InspectedThingFailed(InspectError):
    """What was inspected failed; what was seen has been shown."""

    exit_code = 1
    code = "inspected-thing-failed"


class ServerGone(InspectedThingFailed):
    """The server ended the connection in mid-message. Data: url, seen_bytes, reason."""

    code = "server-gone"


class HandshakeRefused(InspectedThingFailed):
    """The answer to an upgrade was not a correct 101. Data: url, status, reason."""

    code = "handshake-refused"


class CheckFailed(InspectedThingFailed):
    """`--check`, `--fail` or `--expect` found something. Data: what."""

    code = "check-failed"


class UsageProblem(InspectError):
    """What was asked for cannot be done as written. Data: problem."""

    exit_code = 2
    code = "usage-problem"


class BadUrl(UsageProblem):
    """Not a URL that can be requested. Data: url, problem."""

    code = "bad-url"


class NoSuchFile(UsageProblem):
    """Data: path."""

    code = "no-such-file"


class FileNotReadable(UsageProblem):
    """Data: path, reason."""

    code = "file-not-readable"


class OutputNotWritable(UsageProblem):
    """Data: path, reason."""

    code = "output-not-writable"


class NotSupported(UsageProblem):
    """Known elsewhere, not spoken here. Data: what."""

    code = "not-supported"


class BadFilter(UsageProblem):
    """`-Y` cannot be understood. Data: problem, filter, caret (spaces and ^), got, near, and what the words ask."""

    code = "bad-filter"


class NotPermitted(InspectError):
    """Packets were asked for and this process may not capture. Data: reason."""

    exit_code = 3
    code = "not-permitted"


class InputProblem(InspectError):
    """The input is no capture, or not a whole one. Data: path."""

    exit_code = 4
    code = "input-problem"


class NotACapture(InputProblem):
    """Data: path, first_bytes (hex)."""

    code = "not-a-capture"


class NoCaptures(InputProblem):
    """A directory without a capture in it. Data: path."""

    code = "no-captures"


class EmptyInput(InputProblem):
    """Data: path."""

    code = "empty-input"


class CaptureCutOff(InputProblem):
    """The file ends or breaks inside a record. Data: path, byte, frame (last whole one), reason."""

    code = "capture-cut-off"


class BadHar(InputProblem):
    """A HAR that is broken, or none. Data: path, reason, entry (from 1; 0: none), entries (how many were read)."""

    code = "bad-har"


class NothingDecodable(InputProblem):
    """Data: path, frames, reason (of the first frame)."""

    code = "nothing-decodable"


class NotACookieFile(InputProblem):
    """Lines, and none of them holds a cookie. Data: path."""

    code = "not-a-cookie-file"


class HostNotFound(InspectError):
    """Data: host."""

    exit_code = 6
    code = "host-not-found"


class CannotConnect(InspectError):
    """Data: host, port, reason."""

    exit_code = 7
    code = "cannot-connect"


class TimedOut(InspectError):
    """Data: url, seconds."""

    exit_code = 28
    code = "timed-out"


class TlsFailed(InspectError):
    """Data: host, reason."""

    exit_code = 35
    code = "tls-failed"
