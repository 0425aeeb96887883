"""Templates: literal text, fields, conditions."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspect_cli.texts.template import Format, TemplateError, compiled, filled, names


def choose(spec: str, _name: str) -> Format:
    if spec == "bad":
        raise ValueError("unknown spec 'bad'")
    return (lambda value: f"<{value}>") if spec == "angle" else str


def fill(template: str, **data: object) -> str:
    return filled(compiled(template, choose, strict=True), data)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("plain", "plain"),
        ("{a}", "1"),
        ("{a} and {b:angle}", "1 and <two>"),
        ("{{{a}}}", "{1}"),
        ("{a?yes}{no?never}", "yes"),
        ("{no!instead}{a!never}", "instead"),
        ("{a?one {b?two {b:angle}}}.", "one two <two>."),
        ("{a?{a}}", "1"),
        ("", ""),
    ],
)
def test_a_template_is_filled(template: str, expected: str) -> None:
    assert expected == fill(template, a=1, b="two", no=None)


@pytest.mark.parametrize("template", ["{", "}", "{a", "{a?", "{a?b", "{a:angle", "{A}", "{a:bad}", "{a?x}}"])
def test_a_broken_template_is_refused(template: str) -> None:
    with pytest.raises(TemplateError):
        compiled(template, choose, strict=True)


@pytest.mark.parametrize("template", ["{b}", "{b?x}", "{b!x}"])
def test_a_missing_field_is_an_error_when_strict_and_nothing_for_users(template: str) -> None:
    with pytest.raises(KeyError):
        filled(compiled(template, choose, strict=True), {})

    assert filled(compiled(template, choose, strict=False), {}) in ("None", "", "x")


def test_the_fields_of_a_template_are_known() -> None:
    assert frozenset("abcd") == names("{a} {b:ms} {c?x {d}} {{e}}")


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="{}ab:?! "))
def test_any_text_is_compiled_or_refused(template: str) -> None:
    try:
        parts = compiled(template, choose, strict=False)
    except TemplateError:
        return
    assert isinstance(filled(parts, {}), str)
