"""The words, in English and Korean: templates filled from fields.

Knows: every sentence that the tool prints about the wire, its labels and its errors.
Does not know: where a field came from, or how a line is laid out.
Hands on: plain text, one line per call, without control characters of its own.
"""

from __future__ import annotations

from inspect_cli.texts.escape import visible
from inspect_cli.texts.locale import LANGUAGES, Language, default_language
from inspect_cli.texts.words import Words

__all__ = ["LANGUAGES", "Language", "Words", "default_language", "visible"]
