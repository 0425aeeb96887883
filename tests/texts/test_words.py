"""One language's words: loaded when asked for, complete in both, drawn alike on every terminal."""

from __future__ import annotations

import timeit
import unicodedata
from collections.abc import Iterator
from typing import TypeVar

import pytest

import inspect_cli.timeline  # every event type is defined once this is imported
from inspect_cli.concepts import CONCEPTS
from inspect_cli.errors import InspectError
from inspect_cli.events.base import Event, shown_names
from inspect_cli.protocols.http1_head import PROBLEMS as HTTP_PROBLEMS
from inspect_cli.protocols.websocket_rules import PROBLEMS as WEBSOCKET_PROBLEMS
from inspect_cli.sources import rights
from inspect_cli.texts import LANGUAGES, Words
from inspect_cli.texts.template import TemplateError, names

assert inspect_cli.timeline
assert rights

EN, KO = Words("en", strict=True), Words("ko", strict=True)
BOTH = [EN, KO]


_T = TypeVar("_T")


def subclasses(kind: type[_T]) -> Iterator[type[_T]]:
    for below in kind.__subclasses__():
        yield below
        yield from subclasses(below)


REASONS = (
    *("Stored", "Sent", "ByHand", "Unknown", "ValueDiffers", "NotSent", "Expired", "NoCookieContent"),
    *("DisallowedCharacter", "NameValuePairExceedsMaxSize", "InvalidDomain", "InvalidPrefix", "SecureOnly"),
    *("OverwriteSecure", "SameSiteStrict", "SameSiteLax", "SameSiteUnspecifiedTreatedAsLax", "SameSiteNoneInsecure"),
    *("DomainMismatch", "NotOnPath"),
)

ROWS = [
    kind
    for kind in subclasses(Event)
    if kind.__module__.startswith("inspect_cli.")
    and kind.kind != "event"
    and (kind.is_entry or kind.entry_if_annotated)
]
ERRORS: list[type[InspectError]] = [InspectError, *subclasses(InspectError)]


def test_both_languages_have_the_same_keys() -> None:
    assert EN.all_keys() == KO.all_keys()


def test_both_languages_fill_in_the_same_fields() -> None:
    differ = [key for key in EN.all_keys() if names(EN.template(key)) != names(KO.template(key))]

    assert [] == differ


@pytest.mark.parametrize("words", BOTH, ids=LANGUAGES)
def test_every_template_compiles(words: Words) -> None:
    for key in words.all_keys():
        words._compile(key)


@pytest.mark.parametrize("words", BOTH, ids=LANGUAGES)
def test_no_template_has_a_character_of_uncertain_width(words: Words) -> None:
    uncertain = {
        key: found
        for key in words.all_keys()
        if not key.startswith("example.")  # screens, whose layout allows for `§` at the right edge
        if (found := [c for c in words.template(key) if unicodedata.east_asian_width(c) in ("A", "F")])
    }

    assert {} == uncertain


def test_english_has_no_wide_characters() -> None:
    assert [] == [key for key in EN.all_keys() if not key.startswith("example.") and not EN.template(key).isascii()]


@pytest.mark.parametrize("words", BOTH, ids=LANGUAGES)
def test_every_row_has_its_words(words: Words) -> None:
    assert [] == [kind.kind for kind in ROWS if not words.has(f"entry.{kind.kind}")]


@pytest.mark.parametrize("kind", ROWS, ids=lambda kind: kind.__name__)
def test_a_row_asks_only_for_fields_of_its_event(kind: type[Event]) -> None:
    given = {*shown_names(kind), "frames", "side", "channel"}

    for key in (f"entry.{kind.kind}", f"detail.{kind.kind}", f"mark.{kind.kind}"):
        if EN.has(key):
            assert names(EN.template(key)) <= given


def test_no_words_are_left_for_rows_that_do_not_exist() -> None:
    kinds = {kind.kind for kind in ROWS}
    said = {key.partition(".")[2] for key in EN.all_keys() if key.partition(".")[0] in ("entry", "detail", "mark")}

    assert set() == said - kinds


@pytest.mark.parametrize("words", BOTH, ids=LANGUAGES)
def test_every_code_of_every_concept_has_its_sentence(words: Words) -> None:
    codes = {f"annotation.{code}" for concept in CONCEPTS for code in concept.codes}

    assert codes == {key for key in words.all_keys() if key.startswith("annotation.")}


@pytest.mark.parametrize("words", BOTH, ids=LANGUAGES)
@pytest.mark.parametrize("part", ["title", "summary", "body", "evidence"])
def test_every_concept_is_explained(words: Words, part: str) -> None:
    assert [] == [concept.id for concept in CONCEPTS if not words.has(f"concept.{concept.id}.{part}")]


def cells(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) == "W" else 1 for c in line)


@pytest.mark.parametrize("words", BOTH, ids=LANGUAGES)
def test_what_is_explained_fits_into_eighty_columns(words: Words) -> None:
    wide = {
        (key, line)
        for key in words.all_keys()
        if key.startswith("concept.")
        for line in words.say(key, {}).splitlines()
        if cells(line) > 78
    }

    assert set() == wide


@pytest.mark.parametrize("words", BOTH, ids=LANGUAGES)
@pytest.mark.parametrize("part", ["sentence", "hint"])
def test_every_error_has_its_sentence_and_what_to_do(words: Words, part: str) -> None:
    assert [] == [kind.code for kind in ERRORS if not words.has(f"error.{kind.code}.{part}")]


@pytest.mark.parametrize("words", BOTH, ids=LANGUAGES)
def test_every_problem_of_the_parsers_has_a_word(words: Words) -> None:
    problems = [*HTTP_PROBLEMS, *WEBSOCKET_PROBLEMS, "head-cut", "body-cut", "frame-cut"]

    assert [] == [word for word in problems if not words.has(f"label.problem.{word}")]


@pytest.mark.parametrize("words", BOTH, ids=LANGUAGES)
def test_every_reason_of_a_cookie_decision_is_a_sentence(words: Words) -> None:
    assert [] == [reason for reason in REASONS if not words.has(f"label.cookie_reason.{reason}")]


def test_a_key_that_is_not_there_is_an_error_when_strict_and_its_last_word_for_users() -> None:
    with pytest.raises(KeyError):
        EN.say("entry.never", {})

    assert "never" == Words("en").say("entry.never", {})
    assert "never" == Words("en").say("nothing.never", {})


def test_a_field_that_is_not_there_is_an_error_when_strict_and_nothing_for_users() -> None:
    with pytest.raises(KeyError):
        EN.say("entry.zero-window.never", {})
    with pytest.raises(KeyError):
        EN.say("entry.comment", {})

    assert "comment: " == Words("en").say("entry.comment", {})


@pytest.mark.parametrize(
    ("words", "value", "expected"),
    [(EN, "rst", "ended by RST"), (KO, "rst", "RST로 강제 종료"), (EN, "odd\x1b", "odd\\x1b"), (EN, None, "")],
)
def test_a_value_has_its_label_or_shows_itself(words: Words, value: object, expected: str) -> None:
    assert expected == words.label("closed", value)
    assert expected == words.label("closed", value)


KEPT = "annotation.persistent-cookie.expires"
DAY_NS = 86_400_000_000_000


@pytest.mark.parametrize(
    ("lang", "key", "data", "expected"),
    [
        ("en", "annotation.tcp.gap", {"missing_bytes": 1}, "this capture lacks 1 byte; "),
        ("ko", "annotation.tcp.gap", {"missing_bytes": 1460}, "이 캡처에는 1,460바이트가 없다. "),
        ("en", "annotation.tcp.gap", {"missing_bytes": 3 << 20}, "this capture lacks 3.0 MiB; "),
        ("en", KEPT, {"lifetime_ns": DAY_NS}, "persistent cookie: kept for 24 hours"),
        ("ko", KEPT, {"lifetime_ns": 30 * DAY_NS}, "영속 쿠키: 브라우저를 닫아도 30일 동안"),
        ("en", KEPT, {"lifetime_ns": 1}, "persistent cookie: kept for 0.000 ms"),
        ("en", KEPT, {"lifetime_ns": "odd"}, "persistent cookie: kept for odd"),
        ("en", "entry.syn", {"flags": "SYN,ECE"}, "SYN, ECE"),
        ("en", "entry.websocket-close", {"code": 1000, "reason": b"bye"}, 'Close 1000 Normal Closure "bye"'),
        ("en", "entry.websocket-close", {"code": 4001, "reason": b""}, "Close 4001"),
        ("en", "entry.websocket-close", {"code": None, "reason": b""}, "Close"),
    ],
)
def test_a_sentence_is_filled_in(lang: str, key: str, data: dict[str, object], expected: str) -> None:
    assert Words(lang, strict=True).say(key, data).startswith(expected)


def test_yes_and_no_are_labels() -> None:
    words = Words("en", strict=True)
    words.has("label.side.client")
    words._templates["label.answer.yes"] = "so it is"

    assert ["so it is", "False"] == [words.label("answer", True), words.label("answer", False)]


def test_an_unknown_spec_is_our_fault() -> None:
    words = Words("en")
    words.has("ui.size.one")
    words._templates["ui.odd"] = "{a:odd}"

    with pytest.raises(TemplateError):
        words.say("ui.odd", {"a": 1})


def test_a_set_cookie_line_is_shown_as_it_came() -> None:
    data = {"name": b"sid", "value": b"5f1c\x1b", "attributes": ((b"Path", b"/"), (b"HttpOnly", b""))}

    assert "Set-Cookie: sid=5f1c\\x1b; Path=/; HttpOnly" == EN.say("detail.cookie-stored", data)


def test_a_sentence_takes_microseconds() -> None:
    data = {"method": b"GET", "target": b"/shop?id=1"}
    EN.say("entry.request", data)

    seconds = min(timeit.repeat(lambda: EN.say("entry.request", data), number=200, repeat=5)) / 200

    assert seconds < 20e-6  # two on a quiet machine


@pytest.mark.parametrize("words", BOTH, ids=LANGUAGES)
def test_keys_of_one_word_are_those_of_its_own_tables(words: Words) -> None:
    expected = [key.removeprefix("mark.") for key in words.all_keys() if key.startswith("mark.")]

    assert expected == sorted(words.keys("mark"))
