"""Which language the reader expects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

Language = Literal["en", "ko"]
LANGUAGES: Final[tuple[Language, ...]] = ("en", "ko")


def default_language(environ: Mapping[str, str]) -> Language:
    """`ko` or `en` from LC_ALL, LC_MESSAGES, LANG: the first that is set decides (POSIX XBD 8.2)."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = environ.get(name, "")
        if value:
            # `ko_KR.UTF-8`, `ko.utf8@euro`, `ko`: the language ends at the first of these.
            language = value.replace("-", "_").split("_")[0].split(".")[0].split("@")[0].lower()
            return "ko" if language in ("ko", "kor", "korean") else "en"
    return "en"
