"""`explain`: a concept in words, in both languages."""

from __future__ import annotations

import pytest

from inspect_cli.cli.explaining import listed, nearest, page
from inspect_cli.concepts import CONCEPTS
from inspect_cli.errors import UsageProblem
from inspect_cli.texts import LANGUAGES, Words

NAMES = [concept.id for concept in CONCEPTS]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_list_names_every_concept_on_a_line(lang: str) -> None:
    lines = listed(Words(lang)).splitlines()

    assert [line.split()[0] for line in lines[: len(NAMES)]] == NAMES
    assert all(len(line.split()) > 1 for line in lines[: len(NAMES)])


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("concept", CONCEPTS, ids=NAMES)
def test_every_concept_has_a_page_with_its_reference(lang: str, concept: type) -> None:
    words = Words(lang)
    told = page(concept.id, words)

    assert told.splitlines()[0] == f"{words.say(f'concept.{concept.id}.title', {})}  ({concept.id})"
    assert concept.reference in told


def test_a_name_may_be_written_in_capitals_and_with_underscores() -> None:
    words = Words("en")

    assert page("COOKIE_FLOW", words) == page("cookie-flow", words)


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageProblem) as caught:
        page("cookie-flo", Words("en"))

    assert str(caught.value.data["near"]).split(", ")[0] == "cookie-flow"


def test_part_of_a_name_is_near_too() -> None:
    assert nearest("log", ["session-login", "rst"]) == ["session-login"]
    assert nearest("zzzz", ["session-login", "rst"]) == []
