"""Lines and URLs made for clients: what is common, and what they read in different ways."""

from __future__ import annotations

from hypothesis import strategies as st

_HOSTS = (
    "example.com",
    "www.example.com",
    "a.b.example.com",
    "example.org",
    "localhost",
    "a.localhost",
    "127.0.0.1",
    "10.0.0.1",
    "[::1]",
    "co.uk",
    "a.co.uk",
    "b.a.co.uk",
    "github.io",
    "x.github.io",
    "com",
    "a.local",
    "example.com.",
)
_PATHS = ("/", "/a", "/a/", "/a/b", "/a/b/c", "/ab", "/A/b", "//", "/a//", "/%c3%a9/x", "/a%22b")
_NAMES = (
    b"a",
    b"b",
    b"sid",
    b"A",
    b"",
    b"__Host-x",
    b"__Secure-y",
    b"__secure-z",
    b"$v",
    b"a b",
    b"expires",
    b"\xe9",
    b'"q"',
)
_VALUES = (
    b"1",
    b"2",
    b"",
    b'"x y"',
    b"a=b",
    b"x\ty",
    b"x\t",
    b"\xc3\xa0",
    b"\xe9\xa0",
    b" v ",
    b"1,2",
    b"\x01",
    b"x\x1c",
    b"\x7f",
)
_DOMAINS = (
    b"example.com",
    b".example.com",
    b"EXAMPLE.com",
    b"www.example.com",
    b"com",
    b".com",
    b"co.uk",
    b"a.co.uk",
    b"github.io",
    b"127.0.0.1",
    b".0.0.1",
    b"localhost",
    b".local",
    b"local",
    b"",
    b".",
    b"..example.com",
    b"example.com.",
    b"[::1]",
    b"::1",
    b"b.example.com",
    b'"example.com"',
    b"\xc9.com",
)
_DATES = (
    b"Wed, 01 Jan 2031 00:00:00 GMT",
    b"Wednesday, 01-Jan-31 00:00:00 GMT",
    b"Thu, 01 Jan 1970 00:00:01 GMT",
    b"Thu, 01 Jan 1960 00:00:00 GMT",
    b"Wed, 01 Jxx 2031 00:00:00 GMT",
    b'"Wed, 01 Jan 2031 00:00:00 GMT"',
    b"01 Jan 99",
    b"Wed Jan  6 08:49:37 2031",
    b"1 2 2031 10:00 +0100",
    b"20310101",
    b"1 Jan 2031 10:20 PST",
    b"foo",
    b"",
    b"2031 Jan 31",
    b"30 Feb 2031",
    b"Fri, 01 Jan 2031 24:00:00 GMT",
    b"1 Jan 1582",
    b"31 Dec 9999 23:59:59 GMT",
)
_AGES = (
    b"60",
    b"0",
    b"-1",
    b"+60",
    b"6_0",
    b" 70",
    b"x",
    b"",
    b"9" * 23,
    b'"60"',
    b'"70',
    b"60x",
    b"3.5e3",
    b"40000000",
)
_OTHERS = (
    b"Secure",
    b"secure=",
    b"SECURE=x",
    b"HttpOnly",
    b"httponly=1",
    b"SameSite=Lax",
    b"SameSite=None",
    b"",
    b"foo",
    b"=x",
    b"Version=1",
    b'version="1"',
    b"Version=2",
    b"Version=x",
    b"Version=0",
    b"Port",
    b"Port=80",
    b'Port="80"',
    b"Port=80,443",
    b"Port=443",
    b"Comment",
    b"Discard",
    b"\xa0",
    b"Domain",
    b"Path",
    b"Expires",
    b"Version",
    b"x\ty",
)
_COOKIE_PATHS = (*[path.encode() for path in _PATHS], b"", b"foo", b'"/"', b'"/a/"', b'/a"', b"/a b", b"/\xe9", b"%7e")

_attribute = st.one_of(
    st.sampled_from(_DOMAINS).map(b"Domain=".__add__),
    st.sampled_from(_COOKIE_PATHS).map(b"Path=".__add__),
    st.sampled_from(_DATES).map(b"Expires=".__add__),
    st.sampled_from(_AGES).map(b"Max-Age=".__add__),
    st.sampled_from(_OTHERS),
)
_pair = st.tuples(
    st.sampled_from(_NAMES), st.sampled_from((b"=", b"=", b"=", b"=", b"", b" = ")), st.sampled_from(_VALUES)
).map(b"".join)
lines = st.tuples(st.sampled_from((b";", b"; ", b" ;", b";\t")), _pair, st.lists(_attribute, max_size=4)).map(
    lambda made: made[0].join([made[1], *made[2]])
)
_octets = st.binary(max_size=40).map(lambda octets: octets.translate(None, b"\0\r\n").strip(b" \t"))
urls = st.tuples(st.sampled_from(("http://", "https://")), st.sampled_from(_HOSTS), st.sampled_from(_PATHS)).map(
    "".join
)
stories = st.lists(
    st.tuples(urls, st.lists(st.one_of(lines, lines, lines, _octets), min_size=1, max_size=3)), min_size=1, max_size=4
)
_words = (
    "Mon",
    "Monday",
    "tue",
    "jan",
    "Feb",
    "DEC",
    "Sept",
    "GMT",
    "utc",
    "EST",
    "CEST",
    "Z",
    "J",
    "A",
    "NT",
    "1",
    "01",
    "31",
    "32",
    "0",
    "70",
    "71",
    "99",
    "2031",
    "1582",
    "20310101",
    "99999999",
    "100000000",
    "10:20:30",
    "9:5",
    "24:00:00",
    "10:60",
    "+0100",
    "-0800",
    "+1401",
    "1400",
    "Wednesdays",
    "abcdefghijklm",
)
dates = st.lists(st.tuples(st.sampled_from(_words), st.sampled_from((" ", "-", ", ", "/", "", ":"))), max_size=8).map(
    lambda words: "".join(word + gap for word, gap in words).encode()
)
