"""Our own items as comments of a capture: `inspect-cli/1 {json}`.

Calls, Contexts and comments that belong to no packet are written so that Wireshark shows them
and a replay gets them back, equal in every field. Reading is strict: a comment that we would
not have written letter for letter is a comment, whatever it claims.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from inspect_cli.events.base import Item, Secret
from inspect_cli.events.calls import Call, Context, GivenCookie
from inspect_cli.events.capture import Comment
from inspect_cli.events.cookies import Asking

TAG: Final = "inspect-cli/1 "
MAX_COMMENT_BYTES: Final = 65_535
"""The length of a pcapng option has 16 bits."""
PIECE: Final = 32_000
"""Characters of a piece of what is too long for one comment; escaping at most doubles them."""

Pack = Callable[[Any], Any]


class NotOurs(ValueError):
    """A comment that does not read as an item."""


class Kind(NamedTuple):
    """How a value becomes JSON, and back; `read` raises NotOurs for any other value."""

    write: Pack
    read: Pack


def _same(value: Any) -> Any:
    return value


def _typed(kind: type) -> Kind:
    def read(value: Any) -> Any:
        if type(value) is not kind:
            raise NotOurs
        return value

    return Kind(_same, read)


def _read_integer(value: Any) -> int:
    if type(value) is not int or not -(2**63) <= value < 2**63:
        raise NotOurs
    return value


def _read_latin(value: Any) -> bytes:
    try:
        return str(TEXT.read(value)).encode("latin-1")
    except UnicodeEncodeError as error:
        raise NotOurs from error


def _one_of(*words: str) -> Kind:
    def read(value: Any) -> Any:
        if value not in words:
            raise NotOurs
        return value

    return Kind(_same, read)


def _optional(kind: Kind) -> Kind:
    return Kind(
        lambda value: None if value is None else kind.write(value),
        lambda value: None if value is None else kind.read(value),
    )


def _many(kind: Kind) -> Kind:
    def read(value: Any) -> Any:
        if type(value) is not list:
            raise NotOurs
        return tuple(kind.read(one) for one in value)

    return Kind(lambda value: [kind.write(one) for one in value], read)


def _object(noun: Callable[..., Any], shape: dict[str, Kind], usual: dict[str, Any] | None = None) -> Kind:
    """A noun as an object with exactly these keys; those of `usual` only where they say another thing."""
    usual = usual or {}
    needed = shape.keys() - usual.keys()

    def write(value: Any) -> Any:
        found = {name: kind.write(getattr(value, name)) for name, kind in shape.items()}
        return {name: said for name, said in found.items() if name not in usual or said != usual[name]}

    def read(value: Any) -> Any:
        if type(value) is not dict or not needed <= value.keys() <= shape.keys():
            raise NotOurs
        made = noun(**{name: kind.read(value[name]) for name, kind in shape.items() if name in value})
        if usual and list(write(made)) != list(value):
            raise NotOurs
        return made

    return Kind(write, read)


INTEGER: Final = Kind(_same, _read_integer)
BOOLEAN: Final = _typed(bool)
TEXT: Final = _typed(str)
BYTES: Final = Kind(lambda value: value.decode("latin-1"), _read_latin)
"""Bytes as the characters with the same numbers: what is text on the wire stays readable."""

CALL_SHAPE: Final = {
    "time_ns": INTEGER,
    "name": TEXT,
    "fd": INTEGER,
    "phase": _one_of("begun", "returned"),
    "local": TEXT,
    "remote": TEXT,
    "arguments": TEXT,
    "result": TEXT,
}
SECRET_SHAPE: Final = {"value": BYTES, "kind": TEXT, "form": _one_of("", "pairs", "set-cookie", "scheme")}
GIVEN_SHAPE: Final = {
    "name": BYTES,
    "value": _object(Secret, SECRET_SHAPE),
    "domain": TEXT,
    "host_only": BOOLEAN,
    "path": TEXT,
    "secure": BOOLEAN,
    "http_only": BOOLEAN,
    "same_site": _one_of("strict", "lax", "none", "default"),
    "expires_ns": _optional(INTEGER),
    "by_hand": BOOLEAN,
    "partition": TEXT,
}
ASKING_SHAPE: Final = {
    "scheme": TEXT,
    "host": TEXT,
    "path": TEXT,
    "method": TEXT,
    "same_site": BOOLEAN,
    "top_level": BOOLEAN,
    "same_domain": _optional(BOOLEAN),
    "top_site": TEXT,
    "by_script": BOOLEAN,
}
GIVEN_USUAL: Final = {"partition": ""}
ASKING_USUAL: Final = {"same_domain": None, "top_site": "", "by_script": False}
CONTEXT_SHAPE: Final = {
    "time_ns": INTEGER,
    "asking": _object(Asking, ASKING_SHAPE, ASKING_USUAL),
    "url": TEXT,
    "profile": TEXT,
    "jar": TEXT,
    "given": _many(_object(GivenCookie, GIVEN_SHAPE, GIVEN_USUAL)),
    "recorded": BOOLEAN,
    "restarted": BOOLEAN,
}
CONTEXT_USUAL: Final = {"recorded": False, "restarted": False}
COMMENT_SHAPE: Final = {
    "time_ns": INTEGER,
    "about": _one_of("section", "interface"),
    "name": TEXT,
    "comment": TEXT,
}
ITEMS: Final = {
    "call": _object(Call, CALL_SHAPE),
    "context": _object(Context, CONTEXT_SHAPE, CONTEXT_USUAL),
    "comment": _object(Comment, COMMENT_SHAPE),
}
Noted = Call | Context | Comment
PIECES: Final = _object(dict, {"piece": TEXT, "last": BOOLEAN})


def write_note(item: Noted) -> list[str]:
    """The comment of an item (ASCII, at most MAX_COMMENT_BYTES); several where one is too short."""
    name = type(item).__name__.lower()
    text = _text({name: ITEMS[name].write(item)})
    if len(TAG) + len(text) <= MAX_COMMENT_BYTES:
        return [TAG + text]
    pieces = [text[at : at + PIECE] for at in range(0, len(text), PIECE)]
    last = len(pieces) - 1
    return [TAG + _text({"piece": piece, "last": i == last}) for i, piece in enumerate(pieces)]


def read_notes(comments: Iterable[bytes]) -> tuple[list[Item], tuple[str, ...]]:
    """The items in the comments of one block, in order, and the comments that are none."""
    items: list[Item] = []
    others: list[str] = []
    pieces: list[str] = []
    waiting: list[str] = []  # the comments that the pieces came in
    for comment in (raw.decode("utf-8", "replace") for raw in comments):
        found = _parsed(comment)
        if isinstance(found, dict):
            waiting.append(comment)
            pieces.append(found["piece"])
            if not found["last"]:
                continue
            found = _whole("".join(pieces), waiting)
            if found is None:
                others += waiting
        else:
            others += waiting
            if found is None:
                others.append(comment)
        pieces, waiting = [], []
        if found is not None:
            items.append(found)
    return items, (*others, *waiting)


def _whole(text: str, comments: list[str]) -> Item | None:
    """The item that was written in these pieces."""
    item = _parsed(TAG + text)
    if isinstance(item, Noted) and write_note(item) == comments:
        return item
    return None


def _parsed(comment: str) -> Any:
    """The item of a comment, a piece of one as {piece, last}, or None."""
    if not comment.startswith(TAG):
        return None
    try:
        value = json.loads(comment[len(TAG) :])
        if type(value) is not dict or TAG + _text(value) != comment:
            return None
        if len(value) == 1:
            ((name, body),) = value.items()
            return ITEMS[name].read(body)
        return PIECES.read(value)
    except (
        ValueError,
        KeyError,
        RecursionError,
    ):  # of json.loads, of ITEMS, of deep nesting
        return None


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))
