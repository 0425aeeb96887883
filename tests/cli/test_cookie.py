"""`cookie why` and `cookie jar` as commands: what they take, what they refuse, what programs get."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from inspect_cli import render
from inspect_cli.cli import cli
from inspect_cli.cli.cmd_cookie import command
from tests.test_imports import heavy_ones, modules_after

SHOP = ("--url", "https://shop.example/login")
HANGUL = re.compile("[\uac00-\ud7a3]")
SCHEMA = json.loads(Path(render.__file__).with_name("schema.json").read_text(encoding="utf-8"))
JAR = "# Netscape HTTP Cookie File\nshop.example\tFALSE\t/\tFALSE\t0\tsid\t31d4d96e407aad42afbe\nno cookie\n"


def why(*arguments: str, data: bytes | None = None, **environ: str) -> Result:
    return CliRunner().invoke(cli, ["cookie", "why", "--at", "1795000000", *arguments], input=data, env=environ)


def told(*arguments: str, data: bytes | None = None) -> Any:
    got = why(*arguments, "--format", "json", data=data)
    assert got.exit_code == 0, got.output
    return json.loads(got.stdout)


def valid(document: Any) -> bool:
    Draft202012Validator(SCHEMA).validate(document)
    return True


def outcomes(document: Any) -> list[dict[str, str]]:
    return [{one["profile"]: one["outcome"] for one in row["decisions"]} for row in document["set"]]


# -- what is asked ---------------------------------------------------------------------------


def test_a_line_may_be_pasted_with_its_field_name() -> None:
    lines = ["a=1; Path=/", "Set-Cookie: a=1; Path=/", "< set-cookie:a=1; Path=/\r", "  SET-COOKIE:   a=1; Path=/"]

    assert [["a=1; Path=/"]] * 4 == [[row["line"] for row in told(line, *SHOP)["set"]] for line in lines]


def test_of_the_output_of_curl_only_the_cookies_are_lines() -> None:
    data = b"* Connected\r\n> GET / HTTP/1.1\r\n< Set-Cookie: a=1\r\n< Date: x\r\n< set-cookie: b=2\r\n"

    assert ["a=1", "b=2"] == [row["line"] for row in told("-", *SHOP, data=data)["set"]]


def test_lines_of_a_pipe_are_lines_octet_by_octet() -> None:
    rows = told("-", *SHOP, data=b"a=\xff\n\nb=\xea\xb0\x80; Path=/x\n")["set"]

    assert ["a=\\xff", "b=가; Path=/x"] == [row["line"] for row in rows]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("https://shop.example/a",), ("navigate", None, "GET", True, 1)),
        (("https://shop.example/a", "--via", "fetch"), ("fetch", "https://shop.example/login", "GET", True, 1)),
        (("https://shop.example/a", "--via", "post"), ("post", "https://shop.example/login", "POST", True, 1)),
        (("https://shop.example/a", "--from", "https://b.example/"), ("link", "https://b.example/", "GET", False, 1)),
        (("https://shop.example/a", "--cross-site"), ("link", "https://another-site.example/", "GET", False, 1)),
        (("https://shop.example/a", "--site", "--via", "img"), ("img", "https://shop.example/a", "GET", True, 1)),
        (("https://shop.example/a", "-X", "PUT", "--after", "2m"), ("navigate", None, "PUT", True, 120)),
    ],
)
def test_a_request_is_asked_as_its_options_say(arguments: tuple[str, ...], expected: tuple[Any, ...]) -> None:
    send = told("a=1", *SHOP, "--send-to", *arguments)["send"][0]
    after_s = (send["time_ns"] - 1_795_000_000 * 10**9) // 10**9

    assert expected == (send["via"], send["from"], send["method"], send["same_site"], after_s)


def test_options_are_about_the_url_before_them() -> None:
    a, b, c = (f"https://{host}.example/" for host in "abc")
    document = told(
        *("x=1", "--url", a, "--via", "iframe", "--from", b, "--send-to", a, "--send-to", c, "--via", "img"),
        *("--send-to", b),
    )

    assert [("iframe", b)] == [(row["via"], row["from"]) for row in document["set"]]
    # Two in a row share what stands behind them; the last has none of its own.
    assert [(a, "img"), (c, "img"), (b, "navigate")] == [(row["url"], row["via"]) for row in document["send"]]


def test_a_line_after_the_options_is_one_too() -> None:
    assert ["a=1", "b=2"] == [r["line"] for r in told("a=1", "--send-to", "https://a.example/", "b=2", *SHOP)["set"]]


def test_profiles_come_in_their_own_order_whichever_are_asked() -> None:
    names = [[one["name"] for one in told("a=1", *SHOP, *more)["profiles"]] for more in ([], ["--all"])]
    some = [one["name"] for one in told("a=1", *SHOP, "--as", "curl", "--as", "Chromium")["profiles"]]

    assert [["rfc6265bis", "chromium", "firefox", "safari", "curl", "python"]] * 2 + [["chromium", "curl"]] == [
        *names,
        some,
    ]


# -- what is decided ---------------------------------------------------------------------------


def test_what_every_client_decides_is_told_for_each() -> None:
    document = told("sid=1; SameSite=None", *SHOP)

    assert outcomes(document) == [
        {
            "rfc6265bis": "refused",
            "chromium": "refused",
            "firefox": "refused",
            "safari": "stored",
            "curl": "stored",
            "python": "stored",
        }
    ]
    refused = document["set"][0]["decisions"][0]
    assert (["SameSiteNoneInsecure"], "6265bis §5.7 step 19") == (refused["reasons"], refused["reference"])
    assert ("same-site-none", "failed") == tuple(refused["steps"][-1][key] for key in ("check", "outcome"))


def test_a_cookie_of_another_host_is_told_though_it_is_no_candidate() -> None:
    sent = told("a=1", *SHOP, "--send-to", "https://news.example/", "--as", "chromium")["send"][0]["decisions"][0]

    assert (None, [(False, ["DomainMismatch"])]) == (
        sent["header"],
        [(cookie["sent"], cookie["reasons"]) for cookie in sent["cookies"]],
    )


def test_time_goes_on_between_requests() -> None:
    url = "https://shop.example/"
    sends = ("--send-to", url, "--after", "59s", "--send-to", url, "--after", "61s")
    document = told("a=1; Max-Age=60", *SHOP, *sends, "--as", "rfc6265bis")

    assert ["a=1", None] == [send["decisions"][0]["header"] for send in document["send"]]
    assert ["Expired"] == document["send"][1]["decisions"][0]["cookies"][0]["reasons"]


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (("a=1; Max-Age=60",), "it has expired before"),
        (("a=1", "a=2"), "another line took its place"),
        (("a=1", "a=2; Max-Age=0"), "another line deletes it"),
        (("a=1", *(f"b{n}=1" for n in range(50))), "there were too many, and it had to go"),
        (("a=1; Max-Age=0",), "the line deletes it"),
    ],
)
def test_how_a_cookie_got_lost_is_told(lines: tuple[str, ...], says: str) -> None:
    url = "https://shop.example/"
    got = why(*lines, *SHOP, "--send-to", url, "--send-to", url, "--after", "1h", "--as", "rfc6265bis")

    assert says in got.stdout.split("Set-Cookie:")[0]


def test_requests_in_a_row_share_their_time_and_never_go_back() -> None:
    url = "https://shop.example/"
    sends = ("--send-to", url, "--send-to", url, "--after", "2h", "--send-to", url, "--after", "1h", "--send-to", url)
    times = [send["time_ns"] // 10**9 - 1_795_000_000 for send in told("a=1", *SHOP, *sends)["send"]]

    assert [7200, 7200, 7200, 7201] == times


# -- what programs get ---------------------------------------------------------------------------


def test_json_keeps_its_contract() -> None:
    arguments = ("sid=1; SameSite=None", "b=\x1b[31m", "c=3; Max-Age=-1", *SHOP, "--send-to", "https://shop.example/")
    document = told(*arguments)
    lines = [json.loads(line) for line in why(*arguments, "--format", "ndjson").stdout.splitlines()]

    assert valid(document)
    assert [True] * 5 == [valid(line) for line in lines]
    assert ["why", "set", "set", "set", "send"] == [line["type"] for line in lines]
    assert document["set"] == [{k: v for k, v in line.items() if k != "type"} for line in lines[1:4]]


def test_a_jar_as_json_keeps_its_contract(tmp_path: Path) -> None:
    path = tmp_path / "cookies.txt"
    path.write_text(JAR)
    texts = [
        CliRunner().invoke(cli, ["cookie", "jar", str(path), "--at", "0", "--format", form]).stdout
        for form in ("json", "ndjson")
    ]
    document, lines = json.loads(texts[0]), [json.loads(line) for line in texts[1].splitlines()]

    assert valid(document)
    assert [("jar", True), ("cookie", True), ("unreadable", True)] == [(line["type"], valid(line)) for line in lines]
    assert [["no-secure", "no-http-only"]] == [[p["code"] for p in c["problems"]] for c in document["cookies"]]
    assert [(3, "fields", "1")] == [(u["line"], u["problem"], u["found"]) for u in document["unreadable"]]


def test_values_are_shown_and_redacted_where_that_is_asked(tmp_path: Path) -> None:
    path = tmp_path / "out"
    asked = ("sid=secret; Path=/", *SHOP, "--send-to", "https://shop.example/")

    assert "secret" in why(*asked).stdout
    assert "secret" in why(*asked, "--format", "json").stdout
    for more in (["--redact"], ["--redact", "--format", "json"], ["--redact", "--format", "ndjson"]):
        got = why(*asked, *more).stdout
        assert "secret" not in got
        assert "sid=<cookie 1>; Path=/" in got
    for form in ("text", "json"):
        assert why(*asked, "-o", str(path), "--format", form).exit_code == 0
        assert "secret" not in path.read_text()
        assert why(*asked, "-o", str(path), "--format", form, "--show-secrets").exit_code == 0
        assert "secret" in path.read_text()


@pytest.mark.parametrize("form", ["text", "json", "ndjson"])
def test_a_jar_is_redacted_like_anything_else(form: str) -> None:
    shown = [
        CliRunner().invoke(cli, ["cookie", "jar", "-", "--format", form, *more], input=JAR).stdout
        for more in ([], ["--redact"])
    ]

    assert ["31d4d96" in text for text in shown] == [True, False]
    assert "<cookie 1>" in shown[1]


# -- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("why",), "LINE is missing"),
        (("why", "a=1"), "--url is missing"),
        (("why", "a=1", "--url", "shop.example"), "no scheme"),
        (("why", "a=1", "--url", ""), "no scheme"),
        (("why", "a=1", "--url", "ftp://shop.example/"), "its scheme is not spoken here"),
        (("why", "a=1", "--url", "https:///x"), "no host"),
        (("why", "a=1", "--url", "https://[::1/"), "no host"),
        (("why", "a=1", "--url", "https://a.example:port/"), "port"),
        (("why", "a=1", "--url", "https://a.example/\x1b[31m"), "control characters"),
        (("why", "a=1", *SHOP, "--send-to", "nowhere"), "no scheme"),
        (("why", "a=1", *SHOP, "--from", "nowhere"), "no scheme"),
        (("why", "a=1", *SHOP, "--top", "nowhere"), "no scheme"),
        (("why", "a=1", *SHOP, "-X", "G E T"), "-X needs the name of a method"),
        (("why", "a=1", *SHOP, "-o", "/"), "/ cannot be written"),
        (("why", "a=1", "--batch", "-"), "--batch has all URLs"),
        (("why", "--batch", "-", "--all"), "--batch tells what one client does"),
        (("why", "--batch", "/nowhere/at/all"), "there is no such file"),
        (("jar", "/nowhere/at/all"), "there is no such file"),
        (("jar", "/"), "cannot be read"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_in_both_languages(arguments: tuple[str, ...], says: str) -> None:
    for lang in ("en", "ko"):
        got = CliRunner().invoke(cli, ["cookie", *arguments, "--lang", lang])
        first = got.stderr.splitlines()[0]
        assert (got.exit_code, got.stdout, first[:13]) == (2, "", "inspect-cli: "), got.output
        assert says in first if lang == "en" else HANGUL.search(first)
        assert "\x1b" not in got.output


@pytest.mark.parametrize(
    "wrong",
    [("--as", "opera"), ("--at", "tomorrow"), ("--via", "pigeon"), ("--after", "soon"), ("--at", "9" * 30)],
)
def test_a_wrong_value_is_a_usage_error(wrong: tuple[str, str]) -> None:
    got = why("a=1", *SHOP, *wrong)

    assert (got.exit_code, repr(wrong[1]) in got.stderr) == (2, True), got.output


def test_the_file_that_is_read_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "cookies.txt"
    path.write_text(JAR)
    got = CliRunner().invoke(cli, ["cookie", "jar", str(path), "-o", str(path)])

    assert (2, JAR) == (got.exit_code, path.read_text())


# -- what is hostile -----------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["text", "json", "ndjson"])
@pytest.mark.parametrize(
    "line",
    [
        b"a=" + b"x" * 1_000_000,
        b"\x1b]0;title\x07\x1b[2J=\x1b[31mred",
        "a=\u202e\u2066\x9b31m; Path=/\u200b\u3164".encode(),
        b"[red]a[/red]=[link=file:///]x[/link]",
        b"\xff\xfe\x00=\x80; Domain=\xf0\x9f",
        b"a={x}{y?z}; Path=/{b}; Domain={c}.shop.example",
        b";" * 10_000,
        b"=",
    ],
    ids=range(8),
)
def test_nothing_hostile_reaches_the_terminal(line: bytes, form: str) -> None:
    got = why("-", *SHOP, "--send-to", "https://shop.example/", "-v", "--format", form, data=line)

    assert (got.exit_code, got.stderr) == (0, ""), got.output
    assert [] == [char for char in got.stdout if not (char.isprintable() or char == "\n")]
    assert form != "text" or len(got.stdout) < 20_000


@settings(max_examples=60)
@given(st.binary(max_size=60), st.sampled_from(["text", "json"]), st.sampled_from(["en", "ko"]))
def test_any_octets_are_told(line: bytes, form: str, lang: str) -> None:
    got = why("-", *SHOP, "--send-to", "http://shop.example/", "--format", form, "--lang", lang, data=b"a=;" + line)

    assert (got.exit_code, got.stderr) == (0, ""), got.output
    assert form == "text" or valid(json.loads(got.stdout))


@settings(max_examples=60)
@given(st.lists(st.sampled_from(["a.test", ".a.test", "\t", "TRUE", "/", "0", "9" * 30, "\n", "#HttpOnly_", "\udcff"])))
def test_any_text_is_a_jar(pieces: list[str]) -> None:
    data = "".join(pieces).encode("utf-8", "surrogateescape")
    got = CliRunner().invoke(cli, ["cookie", "jar", "-"], input=data)

    assert got.exit_code in (0, 4), got.output
    assert ("no cookies.txt" in got.stderr) == (got.exit_code == 4)
    assert "Traceback" not in got.output


def test_a_file_without_a_cookie_is_no_jar_and_an_empty_one_is() -> None:
    got = CliRunner().invoke(cli, ["cookie", "jar", "-"], input="a\nb\n\nc\nd e f g h i\n")
    empty = CliRunner().invoke(cli, ["cookie", "jar", "-"], input="# Netscape HTTP Cookie File\n\n")

    assert (4, True, True) == (
        got.exit_code,
        "lines 1-2, 4: no cookie" in got.stdout,
        "is no cookies.txt" in got.stderr,
    )
    assert (0, "standard input: 0 cookies\n") == (empty.exit_code, empty.stdout)


# -- what it costs to start ------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [["--help"], ["why", "--help"], ["jar", "--help"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    modules = modules_after(
        "import inspect_cli.__main__; inspect_cli.__main__.cli.main()", "inspect-cli", "cookie", *arguments
    )

    assert (set(), False) == (heavy_ones(modules), "inspect_cli.cookies" in modules)


def test_why_loads_what_it_needs_alone() -> None:
    statement = "import inspect_cli.__main__; inspect_cli.__main__.cli.main()"
    modules = modules_after(statement, "inspect-cli", "cookie", "why", "a=1", *SHOP)

    assert {"publicsuffixlist", "tomllib"} == heavy_ones(modules)


def test_one_letter_has_one_meaning_and_every_option_its_help() -> None:
    for one in command.commands.values():
        letters = [o for p in one.params for o in (*p.opts, *p.secondary_opts) if o.startswith("-")]
        assert len(letters) == len(set(letters))
        options = [p for p in one.params if p.param_type_name == "option"]
        assert [] == [p.name for p in options if not getattr(p, "help", "")]
