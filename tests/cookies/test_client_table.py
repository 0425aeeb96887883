"""docs/cookies.md says what the profiles and the engine say."""

from __future__ import annotations

import re

from tests.cookies import client_table
from tests.cookies.corpus import ROOT

PAGE = (ROOT / "docs" / "cookies.md").read_text(encoding="utf-8")


def block(name: str) -> str:
    found = re.search(rf"<!-- {name} -->\n(.*?)\n<!-- /{name} -->", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_page_has_the_bounds_of_the_profiles() -> None:
    assert client_table.bounds() == block("bounds")


def test_the_page_has_what_each_profile_decides() -> None:
    assert client_table.situations() == block("situations")


def test_every_situation_tells_two_profiles_apart() -> None:
    alike = [one.words for one in client_table.SITUATIONS
             if len({client_table.outcome(one, name) for name in client_table.PROFILES}) == 1]  # fmt: skip
    assert ["`Secure` over http", "`Domain=com`"] == alike
