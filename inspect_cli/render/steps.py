"""A step of a cookie decision in words: what was asked, and what was found."""

from __future__ import annotations

from inspect_cli.texts import Words


def step_said(words: Words, check: str, outcome: str, found: str) -> str:
    """`Secure? no`; a check or finding that no words are known for shows itself."""
    asked = f"cookie.asked.{check}"
    known = f"cookie.found.{found}"
    shown = words.say(known, {}) if found and words.has(known) else found
    for key in (f"cookie.step.{check}.{outcome}-{found}", f"cookie.step.{check}.{outcome}"):
        if words.has(key):
            answer = words.say(key, {"found": shown})
            break
    else:
        answer = words.label("outcome", outcome) + (f" ({shown})" if shown else "")
    return f"{words.say(asked, {}) if words.has(asked) else f'{check}?'} {answer}"
