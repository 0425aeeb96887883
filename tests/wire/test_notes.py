from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspect_cli.events.base import Secret
from inspect_cli.events.calls import Call, Context, GivenCookie
from inspect_cli.events.capture import Comment
from inspect_cli.events.cookies import Asking
from inspect_cli.wire import notes
from inspect_cli.wire.notes import MAX_COMMENT_BYTES, TAG, Noted, read_notes, write_note

TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=20)
INT64 = st.integers(-(2**63), 2**63 - 1)
BYTES = st.binary(max_size=20)

CALLS = st.builds(Call, INT64, TEXT, INT64, st.sampled_from(["begun", "returned"]), TEXT, TEXT, TEXT, TEXT)
GIVEN = st.builds(
    GivenCookie,
    BYTES,
    st.builds(Secret, BYTES, TEXT, st.sampled_from(["", "pairs", "set-cookie", "scheme"])),
    TEXT,
    st.booleans(),
    TEXT,
    st.booleans(),
    st.booleans(),
    st.sampled_from(["strict", "lax", "none", "default"]),
    st.none() | INT64,
    st.booleans(),
    TEXT,
)
ASKING = st.builds(
    Asking, TEXT, TEXT, TEXT, TEXT, st.booleans(), st.booleans(), st.none() | st.booleans(), TEXT, st.booleans()
)
GIVENS = st.lists(GIVEN, max_size=3).map(tuple)
CONTEXTS = st.builds(Context, INT64, ASKING, TEXT, TEXT, TEXT, GIVENS, st.booleans(), st.booleans())
COMMENTS = st.builds(Comment, INT64, st.sampled_from(["section", "interface"]), TEXT, TEXT)
ITEMS: st.SearchStrategy[Noted] = st.one_of(CALLS, CONTEXTS, COMMENTS)

CALL = Call(5, "connect", 3, "begun", "", "127.0.0.1:80", "", "")
CONTEXT = Context(6, Asking("http", "h", "/"), "http://h/", "rfc6265bis", "jar", ())
COOKIE = GivenCookie(b"sid", Secret(b"x" * 4000, "cookie"), "h", True, "/", False, True, "lax", None, False)


def encoded(*items: Noted) -> list[bytes]:
    return [note.encode("ascii") for item in items for note in write_note(item)]


@settings(max_examples=100, deadline=None)
@given(st.lists(ITEMS, max_size=4))
def test_items_come_back_as_they_were_written(items: list[Noted]) -> None:
    assert read_notes(encoded(*items)) == (items, ())


def test_a_note_reads_well_in_wireshark() -> None:
    (note,) = write_note(CALL)
    assert note == (
        'inspect-cli/1 {"call":{"time_ns":5,"name":"connect","fd":3,"phase":"begun","local":"",'
        '"remote":"127.0.0.1:80","arguments":"","result":""}}'
    )


def test_a_restart_is_written_only_where_there_was_one() -> None:
    usual, restarted = (write_note(replace(CONTEXT, restarted=was)) for was in (False, True))

    assert "restarted" not in usual[0]
    assert restarted == [usual[0].removesuffix("}}") + ',"restarted":true}}']


def test_an_item_too_long_for_a_comment_is_written_in_pieces() -> None:
    item = replace(CONTEXT, given=(COOKIE,) * 50)
    comments = encoded(item)
    assert len(comments) > 3
    assert max(len(comment) for comment in comments) <= MAX_COMMENT_BYTES
    assert read_notes([b"before", *encoded(CALL), *comments, *encoded(CALL)]) == ([CALL, item, CALL], ("before",))


def test_pieces_that_are_not_whole_are_comments() -> None:
    comments = encoded(replace(CONTEXT, given=(COOKIE,) * 50))
    texts = tuple(comment.decode() for comment in comments)
    assert read_notes(comments[:-1]) == ([], texts[:-1])
    assert read_notes(comments[1:]) == ([], texts[1:])
    assert read_notes([comments[0], b"between", *comments[1:]]) == ([], (texts[0], "between", *texts[1:]))


def test_pieces_of_what_needs_no_pieces_are_comments() -> None:
    whole = write_note(CALL)[0][len(TAG) :]
    piece = TAG + json.dumps({"piece": whole, "last": True}, separators=(",", ":"))
    assert read_notes([piece.encode()]) == ([], (piece,))


def test_who_asks_is_written_as_before_where_nothing_new_is_said() -> None:
    (usual,) = write_note(CONTEXT)
    (script,) = write_note(replace(CONTEXT, asking=replace(CONTEXT.asking, same_domain=False, by_script=True)))
    asking = '"asking":{"scheme":"http","host":"h","path":"/","method":"GET","same_site":true,"top_level":true'
    assert asking + "}" in usual
    assert asking + ',"same_domain":false,"by_script":true}' in script


def changed(**values: Any) -> str:
    body = json.loads(write_note(CALL)[0][len(TAG) :])["call"]
    return TAG + json.dumps({"call": {**body, **values}}, separators=(",", ":"))


@pytest.mark.parametrize(
    "comment",
    [
        "",
        "a comment",
        TAG,
        TAG + "{",
        TAG + "[]",
        TAG + "{}",
        TAG + "1",
        TAG + "NaN",
        TAG + '{"call":{}}',
        TAG + '{"call":null}',
        TAG + '{"call":[]}',
        TAG + '{"reported":{}}',
        TAG + '{"piece":1,"last":true}',
        TAG + '{"piece":"","last":1}',
        TAG + '{"piece":"","last":true,"more":0}',
        TAG + '{"a":1,"b":2}',
        TAG + "[" * 100_000,
        TAG + "9" * 10_000,
        TAG + " " + write_note(CALL)[0][len(TAG) :],
        write_note(CALL)[0] + " ",
        write_note(CALL)[0].replace("cli/1", "cli/2"),
        changed(fd=True),
        changed(fd=1.0),
        changed(fd="1"),
        changed(time_ns=2**63),
        changed(phase="ended"),
        changed(phase=["begun"]),
        changed(name=None),
        changed(more=1),
        write_note(replace(CONTEXT, given=(COOKIE,)))[0].replace('"sid"', '"s\\u0100d"'),
        write_note(CONTEXT)[0].replace('"given":[]', '"given":{}'),
        write_note(CONTEXT)[0].replace('"same_site":true', '"same_site":1'),
        write_note(CONTEXT)[0].replace('"top_level":true', '"top_level":true,"by_script":false'),
        write_note(CONTEXT)[0].replace('"top_level":true', '"top_level":true,"by_script":1'),
        write_note(CONTEXT)[0].replace('"top_level":true', '"top_level":true,"by_script":true,"same_domain":true'),
    ],
)
def test_what_we_would_not_have_written_is_a_comment(comment: str) -> None:
    assert read_notes([comment.encode()]) == ([], (comment,))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=60) | st.binary(max_size=60).map(lambda data: TAG.encode() + data), max_size=4))
def test_no_comment_breaks_the_reading(comments: list[bytes]) -> None:
    assert read_notes(comments) == ([], tuple(comment.decode("utf-8", "replace") for comment in comments))


@pytest.mark.parametrize(
    ("noun", "shape"),
    [
        (Call, notes.CALL_SHAPE),
        (Context, notes.CONTEXT_SHAPE),
        (GivenCookie, notes.GIVEN_SHAPE),
        (Asking, notes.ASKING_SHAPE),
        (Secret, notes.SECRET_SHAPE),
    ],
)
def test_every_field_of_an_item_is_written(noun: type, shape: dict[str, object]) -> None:
    assert list(shape) == [field.name for field in fields(noun)]
