"""What a decision asked and found, in words."""

from __future__ import annotations

import pytest

from inspect_cli.render.steps import step_said
from inspect_cli.texts import Words

NAVIGATION = ("who-asks", "applied", "cross-site, top-level")
BY_FIELD = ("who-asks", "applied", "same-site (Origin), top-level")


@pytest.mark.parametrize(
    ("lang", "step", "expected"),
    [
        ("en", ("secure", "skipped", ""), "Secure? no"),
        ("en", ("same-site", "failed", "lax"), "Who asks? another site, and it has SameSite=Lax"),
        ("en", NAVIGATION, "Where did it begin? on a page of another site: a navigation"),
        ("ko", NAVIGATION, "어디에서 시작되었는가? 다른 사이트의 페이지: 페이지 이동"),
        ("en", BY_FIELD, "Where did it begin? same-site (Origin), top-level"),
        ("en", ("path-match", "failed", "/shop"), "A path that it is for? no, it is for /shop"),
        ("en", ("new-rule", "failed", "x"), "new-rule? failed (x)"),
        ("en", ("new-rule", "passed", ""), "new-rule? passed"),
    ],
)
def test_a_step_is_a_question_with_its_answer(lang: str, step: tuple[str, str, str], expected: str) -> None:
    assert expected == step_said(Words(lang, strict=True), *step)
