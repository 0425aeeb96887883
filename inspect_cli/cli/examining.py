"""What `doctor` found, as a table; a remedy beneath each "no"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from inspect_cli.sources.rights import Check
    from inspect_cli.texts import Words

SETTINGS: Final = (
    ("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),
    ("kernel.unprivileged_userns_clone", "0", "1"),
    ("user.max_user_namespaces", "0", "15000"),
)
"""Kernel settings that forbid namespaces: name, the value that forbids, one that allows."""


def report(checks: Sequence[Check], words: Words) -> str:
    """One line for each check: whether it works, what it is, what was found."""
    lines = []
    answers = [words.say("cli.doctor.yes", {}), words.say("cli.doctor.no", {})]
    width = max(map(_cells, answers))
    for check in checks:
        if check.data.get("tried") == "untried":
            continue  # it cannot be tried without the right to capture, and matters to nobody without it
        answer = answers[0] if check.ok else answers[1]
        found = words.say(f"cli.doctor.{check.code}.{'found' if check.ok else 'why'}", check.data)
        name = words.say(f"cli.doctor.{check.code}.name", check.data)
        lines.append(f"{answer}{' ' * (width - _cells(answer))}  {name}{': ' if found else ''}{found}")
        lines += [f"{' ' * width}  > {line}" for line in remedies(check, words)]
    return "\n".join(lines)


def remedies(check: Check, words: Words) -> Iterator[str]:
    """What to do about a "no", to be pasted."""
    if check.ok:
        return
    if check.code == "namespace":
        for name, forbids, allows in SETTINGS:
            if str(check.data.get(name, "")) == forbids:
                yield f"sudo sysctl {name}={allows}"
    platform = check.data.get("reason") == "platform" or check.data.get("step") == "platform"
    key = "cli.doctor.platform" if platform else f"cli.doctor.{check.code}.remedy"
    if words.has(key):
        yield from words.say(key, check.data).splitlines()


def _cells(text: str) -> int:
    """Columns on a terminal: a Hangul syllable takes two."""
    return sum(2 if "\uac00" <= letter <= "\ud7a3" else 1 for letter in text)
