"""curl's own test files: what its server answers, which requests it expects, and which jar in the end."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from tests.cookies.corpus import COOKIES

_SECTION = re.compile(r"<(data\d*|file\d*|protocol)([^>]*)>\n(.*?)</\1>", re.DOTALL)
_NUMBERED = re.compile(r"(\d{4})$")
Row = tuple[str, bool, str, bool, bool, str, str]
"""Domain, host-only, path, Secure, whether it expires, name, value."""


class Request(NamedTuple):
    url: str
    cookie: str
    answer: tuple[bytes, ...]


class Case(NamedTuple):
    name: str
    requests: tuple[Request, ...]
    jar_before: str
    jar_after: frozenset[Row] | None
    """None: the case does not say."""


def names() -> list[str]:
    folder = COOKIES / "curl"
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def read(name: str, https: frozenset[int] = frozenset()) -> Case:
    """The case; `https`: numbers of the requests that the Host field does not show to be so."""
    source = _expanded((COOKIES / "curl" / name).read_text(encoding="latin-1"), name.removeprefix("test"))
    client, _, verify = source.partition("<verify>")
    answers = {found[1]: found[3] for found in _SECTION.finditer(client) if found[1].startswith("data")}
    before = [found[3] for found in _SECTION.finditer(client) if found[1].startswith("file")]
    expected = "".join(found[3] for found in _SECTION.finditer(verify) if found[1] == "protocol")
    after = [found[3] for found in _SECTION.finditer(verify) if found[1].startswith("file") and "Netscape" in found[3]]
    heads = [head for head in expected.replace("\r", "").split("\n\n") if re.match(r"\n?[A-Z]+ \S+ HTTP/", head)]
    requests = tuple([_request(head, number in https, answers) for number, head in enumerate(heads)])
    return Case(name, requests, "\n".join(before), _rows(after[-1]) if after else None)


def _expanded(text: str, number: str) -> str:
    text = re.sub(r"%if large-time\n(.*?)%else\n.*?%endif", r"\1", text, flags=re.DOTALL)
    text = re.sub(r"%if (?:!|un)\S+\n.*?%endif\n?", "", text, flags=re.DOTALL)
    text = re.sub(r"%repeat\[(\d+) x (.+?)\]%", lambda found: found[2] * int(found[1]), text)
    text = re.sub(r"%hex\[(.*?)\]hex%", lambda found: re.sub(r"%(..)", lambda o: chr(int(o[1], 16)), found[1]), text)
    text = re.sub(r"%days\[\d+\]", "1900000000", text)
    for name, value in (
        ("%TESTNUMBER", number),
        ("%HOSTIP", "127.0.0.1"),
        ("%TAB", "\t"),
        ("%AMP", "&"),
        (":%HTTPPORT", ""),
    ):
        text = text.replace(name, value)
    return text


def _request(head: str, https: bool, answers: dict[str, str]) -> Request:
    line, *fields = head.strip("\n").split("\n")
    said = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
    target = urlsplit(line.split(" ")[1])
    host = said.get("host", target.netloc)
    https = https or "%HTTPSPORT" in host
    path = (target.path or "/") + (f"?{target.query}" if target.query else "")
    numbered = _NUMBERED.search(target.path)
    answer = answers.get(f"data{int(numbered[1])}" if numbered else "data", answers.get("data", ""))
    lines = re.findall(r"^set-cookie:(.*)$", answer, flags=re.IGNORECASE | re.MULTILINE)
    return Request(
        f"{'https' if https else 'http'}://{host.replace(':%HTTPSPORT', '')}{path}",
        said.get("cookie", ""),
        tuple([one.strip(" \t\r").encode("latin-1") for one in lines]),
    )


def _rows(text: str) -> frozenset[Row]:
    rows = [line.removeprefix("#HttpOnly_").split("\t") for line in text.split("\n") if "\t" in line]
    return frozenset(
        (row[0].removeprefix(".").lower(), row[1] == "FALSE", row[2], row[3] == "TRUE", row[4] != "0", row[5], row[6])
        for row in rows
    )
