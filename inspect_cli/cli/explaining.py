"""The pages of `explain`: a concept's words, its diagram, what proves it."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Final

from inspect_cli.concepts import CONCEPTS
from inspect_cli.errors import UsageProblem

if TYPE_CHECKING:
    from inspect_cli.texts import Words

PARTS: Final = ("summary", "body", "diagram", "evidence")


def listed(words: Words) -> str:
    """One line for each concept: its name and title."""
    width = max(len(concept.id) for concept in CONCEPTS)
    lines = [f"{concept.id:<{width}}  {words.say(f'concept.{concept.id}.title', {})}" for concept in CONCEPTS]
    return "\n".join([*lines, "", words.say("cli.explain.more", {})])


def page(name: str, words: Words) -> str:
    """The whole text of one concept. Raises: UsageProblem, with the nearest names."""
    known = {concept.id: concept for concept in CONCEPTS}
    concept = known.get(name.lower().replace("_", "-"))
    if concept is None:
        raise UsageProblem(problem="unknown-concept", name=name, near=", ".join(nearest(name.lower(), list(known))))
    title = words.say(f"concept.{concept.id}.title", {})
    blocks = [f"{title}  ({concept.id})"]
    for part in PARTS:
        if words.has(f"concept.{concept.id}.{part}"):
            text = words.say(f"concept.{concept.id}.{part}", {}).strip("\n")
            heading = f"cli.explain.{part}"
            blocks.append(f"{words.say(heading, {})}\n{_indented(text)}" if words.has(heading) else text)
    if words.has(f"example.{concept.id}.lines"):
        lines = words.say(f"example.{concept.id}.lines", {}).strip("\n")
        source = words.say("cli.explain.example", {"capture": words.say(f"example.{concept.id}.capture", {})})
        blocks.append(f"{source}\n{lines}")
    if concept.reference:
        blocks.append(f"{words.say('cli.explain.reference', {})}\n{_indented(concept.reference)}")
    return "\n\n".join(blocks)


def nearest(name: str, known: list[str]) -> list[str]:
    """Up to three known names like this one."""
    holding = [other for other in known if name in other]
    return (difflib.get_close_matches(name, known, n=3, cutoff=0.5) + holding)[:3]


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" if line else "" for line in text.splitlines())
