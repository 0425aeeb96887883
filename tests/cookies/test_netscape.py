from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from inspect_cli.cookies import Cookie, Jar, asking_for
from inspect_cli.cookies.netscape import HEADER, Found, Unreadable, examine, read, write
from inspect_cli.events.base import Secret
from tests.cookies.test_parse import LINES

NS = 1_000_000_000
NOW = 1_795_000_000 * NS


def test_a_file_as_curl_writes_it() -> None:
    text = (
        "# Netscape HTTP Cookie File\r\n"
        "\r\n"
        ".a.test\tTRUE\t/x\tTRUE\t1795000000\tn\tv\r\n"
        "#HttpOnly_www.a.test\tFALSE\t/\tFALSE\t0\tsid\tab\tc\r\n"
        "www.a.test\tFALSE\t/\tFALSE\t0\tempty\n"
    )
    expected = [
        Cookie(b"n", Secret(b"v", "cookie"), "a.test", False, "/x", True, expires_ns=NOW),
        Cookie(b"sid", Secret(b"ab\tc", "cookie"), "www.a.test", True, "/", http_only=True),
        Cookie(b"empty", Secret(b"", "cookie"), "www.a.test", True, "/"),
    ]
    assert expected == read(text)


def test_lines_that_hold_no_cookie_are_passed_over() -> None:
    lines = [
        "",
        "# x",
        "a\tb",
        "a..b\tTRUE\t/\tTRUE\t0\tn\tv",
        "a.test\tTRUE\tx\tTRUE\t0\tn\tv",
        "a.test\tTRUE\t/\tTRUE\tsoon\tn\tv",
    ]
    assert [] == read("\n".join(lines))


def test_each_line_without_a_cookie_is_told_with_its_number_and_why() -> None:
    lines = [
        "# a comment",
        "",
        "a.test TRUE / TRUE 0 n v",
        "a.test\tTRUE",
        "#HttpOnly_a..b\tTRUE\t/\tTRUE\t0\tn\tv",
        "a.test\tTRUE\tx\tTRUE\t0\tn\tv\r",
        ".a.test\tTRUE\t/\tTRUE\tsoon\tn\tv",
        ".a.test\tTRUE\t/\tTRUE\t0\tn\tv",
    ]
    problems = [("spaces", "1"), ("fields", "2"), ("domain", "a..b"), ("path", "x"), ("expiry", "soon")]
    expected = [
        Found(number, line.rstrip("\r"), Unreadable(problem, found), domain)  # type: ignore[arg-type]
        for number, line, (problem, found), domain in zip(
            range(3, 8), lines[2:], problems, [lines[2], "a.test", "a..b", "a.test", ".a.test"], strict=False
        )
    ]
    cookie = Cookie(b"n", Secret(b"v", "cookie"), "a.test", False, "/", True)

    assert [*expected, Found(8, lines[7], cookie, ".a.test")] == list(examine("\n".join(lines)))


def test_only_a_line_feed_ends_a_line() -> None:
    assert [b"a\xe2\x80\xa8b\x0bc"] == [c.value.value for c in read("a.test\tTRUE\t/\tTRUE\t0\tn\ta\u2028b\x0bc\r\n")]


def test_what_the_format_cannot_hold_is_said() -> None:
    text = write([Cookie(b"a\tb", Secret(b"v", "cookie"), "a.test", True, "/")])
    assert text.startswith(HEADER)
    assert "# A cookie of a.test is left out" in text
    assert [] == read(text)


def test_an_expiry_is_rounded_up_and_never_to_zero() -> None:
    kept = [Cookie(b"n", Secret(b"v", "cookie"), "a.test", True, "/", expires_ns=ns) for ns in (NOW + 1, 0, -1)]
    assert [NOW + NS, NS, NS] == [cookie.expires_ns for cookie in read(write(kept))]


def test_a_character_that_is_no_octet_becomes_a_question_mark() -> None:
    assert [b"?"] == [cookie.name for cookie in read("a.test\tTRUE\t/\tTRUE\t0\t\ud800\tv")]


HOSTS = st.sampled_from(["a.test", "www.a.test", "10.0.0.1", "localhost"])


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(HOSTS, LINES), max_size=6))
def test_a_jar_written_and_read_is_equal(stored: list[tuple[str, bytes]]) -> None:
    jar = Jar()
    for host, line in stored:
        jar.store(line + b"; Max-Age=60", asking_for(f"https://{host}/é"), NOW)
    expected = [c for c in jar if b"\t" not in c.name and "\t" not in c.path]
    for cookie in expected:
        cookie.same_site = "default"  # the format has no place for it
    assert expected == read(write(jar.cookies))


@settings(max_examples=80, deadline=None)
@given(
    st.one_of(
        st.text(max_size=80),
        st.lists(st.sampled_from(["a.test", "\t", "TRUE", "/", "0", "9" * 5000, "\n", "\ud800"])).map("".join),
    )
)
def test_any_text_is_a_file(text: str) -> None:
    assert all(cookie.path.startswith("/") for cookie in read(text))
