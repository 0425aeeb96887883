"""Whole screens of `cookie why` and `cookie jar`. `pytest --update-golden` rewrites them; review the diff."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from click.testing import CliRunner

from inspect_cli.cli import cli

SCREENS = Path(__file__).parent / "screens"
AT = "2026-11-24T12:00:00Z"
SHOP = ("--url", "https://shop.example/login")
JAR = """\
# Netscape HTTP Cookie File
# http://curl.se/docs/http-cookies.html

#HttpOnly_www.shop.example\tFALSE\t/\tTRUE\t0\tid\t31d4d96e407aad42afbe
www.shop.example\tFALSE\t/\tFALSE\t1795600000\tJSESSIONID\t9f86d081884c7d659a2f
.shop.example\tTRUE\t/a/rather/long/path/of/a/shop\tFALSE\t1795000000\tlang\tko
.shop.example\tTRUE\t/\tTRUE\t1895000000\tseen\t1
.shop.example\tTRUE\t/\tTRUE\t1795600000\tseen\t2
shop.example TRUE / FALSE 0 spaces b
.co.uk\tTRUE\t/\tFALSE\t0\t__Host-id\tb
www.other.example\tTRUE\t/\tFALSE\tsoon\ta\tb
www.other.example\tTRUE\t/\tFALSE\t0\t\u202ename\t\x1b[31mred
"""
WHY = {
    "none-without-secure": (
        *("sid=31d4d96e407aad42; SameSite=None", *SHOP),
        *("--send-to", "https://shop.example/cart", "--via", "fetch", "--from", "https://news.example/story"),
    ),
    "lax-cross-site": (
        *("sid=31d4d96e407aad42; SameSite=Lax; Secure; HttpOnly", *SHOP),
        *("--send-to", "https://shop.example/cart", "--cross-site"),
        *("--send-to", "https://shop.example/cart", "--cross-site", "--via", "post"),
    ),
    "host-prefix-with-domain": ("__Host-sid=1; Secure; Path=/; Domain=shop.example", *SHOP),
    "secure-on-localhost": ("Set-Cookie: sid=1; Secure", "--url", "http://localhost:8000/"),
    "public-suffix": ("sid=1; Domain=co.uk", "--url", "https://shop.co.uk/"),
    "partitioned": (
        *("sid=1; SameSite=None; Secure; Partitioned", "--url", "https://embed.example/frame", "--via", "iframe"),
        *("--from", "https://shop.example/", "--send-to", "https://embed.example/frame", "--via", "iframe"),
        *("--from", "https://news.example/", "--block-third-party"),
    ),
    "expired": ("sid=1; Expires=Wed, 21 Oct 2015 07:28:00 GMT", *SHOP, "--send-to", "https://shop.example/"),
    "too-long": (f"sid={'x' * 5000}; Max-Age=99999999", *SHOP),
    "control-character": ("sid=1\x1b[31m; Path=/", *SHOP),
    "several-lines": (
        *("sid=1; Path=/shop; Max-Age=60", "sid=2; Path=/shop", "theme=dark", *SHOP),
        *("--send-to", "https://shop.example/shop/cart", "--after", "2m", "--as", "chromium", "--as", "curl"),
    ),
    "every-step": ("sid=1; Secure; SameSite=Strict; Max-Age=99999999", "--url", "http://localhost/", "-v"),
}
FORMS = [(lang, width) for lang in ("en", "ko") for width in (80, 100)]


def screen(*arguments: str, lang: str = "en", width: int = 80, given: bytes | None = None) -> str:
    got = CliRunner().invoke(
        cli, ["cookie", *arguments, "--lang", lang, "--at", AT], input=given, env={"COLUMNS": str(width)}
    )
    assert (got.exit_code, got.stderr) == (0, "")
    return got.stdout


def widest(text: str) -> int:
    """Cells of the widest line where ambiguous characters take two."""
    cells = {"W": 2, "F": 2, "A": 2}
    return max(sum(cells.get(unicodedata.east_asian_width(c), 1) for c in line) for line in text.splitlines())


def check(name: str, shown: str, request: pytest.FixtureRequest, lang: str, width: int) -> None:
    golden = SCREENS / f"{name}.{lang}.{width}.txt"
    if request.config.getoption("--update-golden"):
        golden.write_text(shown, encoding="utf-8")
    assert golden.read_text(encoding="utf-8") == shown
    assert widest(shown) <= width
    assert all(char.isprintable() or char == "\n" for char in shown)
    assert "\n\n\n" not in shown


@pytest.mark.parametrize(("lang", "width"), FORMS)
@pytest.mark.parametrize("name", WHY)
def test_why_is_told_on_one_screen(name: str, lang: str, width: int, request: pytest.FixtureRequest) -> None:
    check(name, screen("why", *WHY[name], lang=lang, width=width), request, lang, width)


@pytest.mark.parametrize(("lang", "width"), FORMS)
def test_a_jar_is_a_table(lang: str, width: int, request: pytest.FixtureRequest) -> None:
    check("jar", screen("jar", "-", lang=lang, width=width, given=JAR.encode()), request, lang, width)


@pytest.mark.parametrize("lang", ["en", "ko"])
@pytest.mark.parametrize("width", [40, 53, 66, 79, 200])
@pytest.mark.parametrize("name", WHY)
def test_no_line_is_wider_than_the_terminal(name: str, width: int, lang: str) -> None:
    assert widest(screen("why", *WHY[name], lang=lang, width=width)) <= min(width, 100)
    assert widest(screen("jar", "-", lang=lang, width=width, given=JAR.encode())) <= min(width, 100)


@pytest.mark.parametrize("name", WHY)
def test_in_ascii_a_screen_has_nothing_else(name: str) -> None:
    assert screen("why", *WHY[name], "--ascii").isascii()


@pytest.mark.parametrize("name", WHY)
def test_colours_change_no_character(name: str) -> None:
    import re

    plain, coloured = screen("why", *WHY[name]), screen("why", *WHY[name], "--color", "always")

    assert "\x1b[" in coloured
    stripped = re.sub("\x1b\\[[0-9;]*m", "", coloured)
    assert plain == "".join(line.rstrip() + "\n" for line in stripped.splitlines())


def test_no_screen_is_left_over() -> None:
    assert {*WHY, "jar"} == {path.name.split(".")[0] for path in SCREENS.iterdir()}
