"""Bodies as curl makes them: -d and its kin, -F; and files as curl names them (`@FILE`, `-`)."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Final
from urllib.parse import quote

from inspect_cli.errors import FileNotReadable, NoSuchFile, NotSupported, UsageProblem

FORM_TYPE: Final = "application/x-www-form-urlencoded"


def read_bytes(path: str) -> bytes:
    """The whole file; `-` is stdin. Raises: NoSuchFile, FileNotReadable."""
    try:
        if path == "-":
            return sys.stdin.buffer.read()
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        raise NoSuchFile(path=path) from None
    except (OSError, ValueError) as error:
        raise FileNotReadable(path=path, reason=getattr(error, "strerror", None) or str(error)) from error


def data_of(values: Sequence[tuple[str, str]]) -> bytes | None:
    """The values of -d and its kin, in order, joined by `&`; None where there are none."""
    return b"&".join([_ENCODINGS[name](value) for name, value in values]) if values else None


def multipart(fields: Sequence[str], boundary: str) -> bytes:
    """The body of -F (RFC 7578). Raises: UsageProblem, NotSupported, NoSuchFile, FileNotReadable."""
    lines: list[bytes] = []
    for field in fields:
        name, equals, rest = field.partition("=")
        if not equals or not name:
            raise UsageProblem(problem="form-without-name")
        content, disposition = _content(rest)
        head = f'Content-Disposition: form-data; name="{_quoted(name)}"{disposition}'
        lines += [f"--{boundary}".encode(), head.encode("utf-8", "surrogateescape"), b"", content]
    return b"\r\n".join([*lines, f"--{boundary}--".encode(), b""])


def _content(rest: str) -> tuple[bytes, str]:
    """What stands right of the `=`: its bytes, and what follows the name in the part's head."""
    value, parameters = _parameters(rest) if rest[:1] in "@<" or ";type=" in rest else (rest, {})
    unknown = set(parameters) - {"type", "filename"}
    if unknown:
        raise NotSupported(what=f"-F ;{min(unknown)}=")
    kind, filename = parameters.get("type", ""), parameters.get("filename", "")
    if value[:1] == "@":
        import mimetypes
        import os

        if "," in value:
            raise NotSupported(what="-F NAME=@FILE,FILE")
        filename = filename or os.path.basename(value[1:])
        kind = kind or mimetypes.guess_type(filename)[0] or "application/octet-stream"
        content = read_bytes(value[1:])
    elif value[:1] == "<":
        content = read_bytes(value[1:])
    else:
        content = _bytes(value)
    if re.search(r"[\x00-\x1f\x7f]", kind):
        raise UsageProblem(problem="control-character")
    named = f'; filename="{_quoted(filename)}"' if filename else ""
    return content, named + (f"\r\nContent-Type: {kind}" if kind else "")


def _parameters(rest: str) -> tuple[str, Mapping[str, str]]:
    value, *parts = rest.split(";")
    pairs = [part.strip().partition("=") for part in parts]
    return value, {name: text.strip('"') for name, _, text in pairs}


def _quoted(name: str) -> str:
    """RFC 7578 §4.2 by way of HTML: what would end the quoted string is percent-encoded."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _data(value: str) -> bytes:
    """-d: a file loses its line ends and NULs, as curl(1) says."""
    if not value.startswith("@"):
        return _bytes(value)
    return re.sub(rb"[\r\n\x00]", b"", read_bytes(value[1:]))


def _binary(value: str) -> bytes:
    return read_bytes(value[1:]) if value.startswith("@") else _bytes(value)


def _urlencoded(value: str) -> bytes:
    """--data-urlencode: `content`, `=content`, `name=content`, `@file`, `name@file`."""
    match = re.match(r"([^=@]*)([=@])(.*)\Z", value, re.DOTALL)
    if match is None:
        return quote(_bytes(value), safe="").encode()
    name, sign, rest = match.groups()
    content = quote(read_bytes(rest) if sign == "@" else _bytes(rest), safe="").encode()
    return _bytes(name) + b"=" + content if name else content


_ENCODINGS: Final[Mapping[str, Callable[[str], bytes]]] = {
    "data": _data,
    "data_raw": _bytes,
    "data_binary": _binary,
    "data_urlencode": _urlencoded,
}
