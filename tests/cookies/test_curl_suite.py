"""curl's own cases: its expected requests and jars are the profile's."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from inspect_cli.cookies import Jar, asking_for
from inspect_cli.cookies.netscape import read as read_jar
from tests.cookies import curl_cases
from tests.cookies.corpus import NS
from tests.cookies.curl_cases import Case, Row

NOW_NS = 1_795_000_000 * NS
HTTPS = {"test1561": frozenset((0,)), "test1562": frozenset((0, 1, 2))}
"""Where the command says https and a Host field of its own hides the port."""


BY_HAND = {
    "test1025": "forcedcookie=yes",
    "test1401": "chocolate=chip",
    "test2015": "test=yes",
    "test6": "name=contents;name2=content2; name3=content3",
}
"""What -b gives stands behind the jar's cookies, to the first host alone; no engine decides about it."""
OTHERWISE = {
    "test1166": "no cookie engine: neither -b nor -c",
    "test2311": "curl checks octets and prefixes of a cookies.txt; here a file is taken as it is",
    "test3103": "the cookie is made by a library call (CURLOPT_COOKIELIST)",
    "test3104": "the cookie is made by a library call (CURLOPT_COOKIELIST)",
    "test409": "curl checks public suffixes in a cookies.txt; here a file is taken as it is",
    "test676": "the jar is taken away between the requests by a library call (CURLOPT_COOKIEFILE)",
    "test46": "domain..tld has an empty label: 6265bis §5.1.2 gives no canonical form",
}


def rows(jar: Jar) -> frozenset[Row]:
    return frozenset(
        (c.domain, c.host_only, c.path, c.secure, c.expires_ns is not None, c.name.decode("latin-1"),
         c.value.value.decode("latin-1"))
        for c in jar
    )  # fmt: skip


def played(case: Case) -> tuple[list[str], Jar]:
    jar = Jar("curl")
    for cookie in read_jar(case.jar_before):
        jar.add(cookie)
    sent = []
    for request in case.requests:
        asking = asking_for(request.url)
        sent.append(jar.header(asking, NOW_NS).decode("latin-1"))
        jar.store_all(request.answer, asking, NOW_NS)
    return sent, jar


def agrees(name: str) -> bool:
    case = curl_cases.read(name, HTTPS.get(name, frozenset()))
    sent, jar = played(case)
    first = urlsplit(case.requests[0].url).netloc if case.requests else ""
    given = BY_HAND.get(name)
    with_given = [
        "; ".join(filter(None, (cookie, given if urlsplit(request.url).netloc == first else None)))
        for cookie, request in zip(sent, case.requests, strict=True)
    ]
    return [request.cookie for request in case.requests] == with_given and case.jar_after in (None, rows(jar))


def test_all_cases_but_those_listed() -> None:
    names = curl_cases.names()
    if not names:
        pytest.skip("no corpus folder curl: set INSPECT_CLI_CORPUS")
    assert len(names) == 44
    assert sorted(OTHERWISE) == [name for name in names if not agrees(name)]


def test_the_cases_have_requests_and_jars() -> None:
    """What is read from the files, so that nothing agrees because it is empty."""
    cases = [curl_cases.read(name, HTTPS.get(name, frozenset())) for name in curl_cases.names()]
    if not cases:
        pytest.skip("no corpus folder curl: set INSPECT_CLI_CORPUS")
    assert (64, 31, 14) == (
        sum(len(case.requests) for case in cases),
        sum(bool(request.cookie) for case in cases for request in case.requests),
        sum(case.jar_after is not None for case in cases),
    )
