"""curl's options turned into requests: one RequestStep for each part of the command line."""

from __future__ import annotations

import os
import re
import secrets
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

import click

from inspect_cli.cli.curl_body import FORM_TYPE, data_of, multipart, read_bytes
from inspect_cli.cli.options import USUAL_CLIENT
from inspect_cli.errors import BadUrl, NotSupported, UsageProblem

if TYPE_CHECKING:
    from inspect_cli.cli.options import RunOptions
    from inspect_cli.cookies.jar import Jar
    from inspect_cli.sources.client import ClientOptions, RequestStep

Header = tuple[str, str]
HTTP: Final = ("http", "https")
WEBSOCKET: Final = ("ws", "wss")

# RFC 3986 §3.1; digits behind the colon are a port: `localhost:8080` has no scheme.
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(?![0-9])")
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")


def steps_of(parts: Sequence[Mapping[str, Any]]) -> list[RequestStep]:
    """One request for each part; a URL that begins with `/` stands on the part before."""
    steps: list[RequestStep] = []
    for part in parts:
        steps.append(step_of(part, steps[-1].url if steps else ""))
    return steps


def step_of(part: Mapping[str, Any], before: str = "") -> RequestStep:
    """The request of one part. Raises: UsageProblem and its kin."""
    from inspect_cli.sources.client import RequestStep

    given = str(part["url"])
    url, login = checked_url(urljoin(before, given) if before and given.startswith("/") else given, HTTP)
    headers, by_hand = headers_of(part, login)
    body, kind = _body(part)
    if part["get"] and body is not None:
        url, body, kind = _with_query(url, body), None, ""
    if part["head"] and body is not None:
        raise UsageProblem(problem="head-with-body")
    if kind and not _has(headers, "content-type"):
        headers.append(("Content-Type", kind))
    posts = body is not None or part["via"] == "post"
    method = part["request"] or ("HEAD" if part["head"] else "POST" if posts else "GET")
    if not _TOKEN.match(method):
        raise UsageProblem(problem="method")
    via, page, top = who_asks(part)
    return RequestStep(
        method=method,
        url=url,
        headers=tuple(headers),
        body=body,
        via=via,
        page=page,
        top=top,
        restart=part["restart"],
        cookies_by_hand=by_hand,
        follow=part["location"],
        max_redirects=part["max_redirs"],
    )


def who_asks(part: Mapping[str, Any], usual: str = "navigate") -> tuple[str, str | None, str | None]:
    """How a request comes about, the page where it begins and the one around (None: as RequestStep has it).

    Raises: UsageProblem, BadUrl.
    """
    from inspect_cli.sources.client import ELSEWHERE

    via, page, top = part.get("via"), part["page"], part["top"]
    if page is not None and part["site"] is not None:
        raise UsageProblem(problem="from-and-site")
    if via is not None and part.get("navigate") is not None:
        raise UsageProblem(problem="via-and-navigate")
    if part["site"] is False:
        page = ELSEWHERE
    if via is None:
        via = "fetch" if part.get("navigate") is False else usual
    if via == "navigate" and page is not None:
        via = "link"  # what is typed into the address bar begins on no page
    if top is not None and via in ("navigate", "link", "post"):
        raise UsageProblem(problem="top-of-navigation")
    page, top = (url if url is None else checked_url(url, HTTP)[0] for url in (page, top))
    return via, page, top


def client_options(run: RunOptions) -> ClientOptions:
    """Options of the whole run. Raises: UsageProblem, NotSupported, NoSuchFile, FileNotReadable."""
    from inspect_cli.sources.client import ClientOptions

    for path in (run.cacert, run.cert, run.key):
        if path is not None:
            read_bytes(path)  # said now, in one sentence, and not by a TLS library later
    return ClientOptions(
        timeout_s=run.max_time,
        connect_timeout_s=run.connect_timeout,
        resolve=dict([resolved(line) for line in run.resolve]),
        insecure=run.insecure,
        cacert=run.cacert,
        cert=run.cert,
        key=run.key,
        proxy=run.proxy,
        compressed=run.compressed,
        profile=run.profile,
    )


def headers_of(part: Mapping[str, Any], login: str) -> tuple[list[Header], str]:
    """The fields of a request (as RequestStep has them) and its cookies by hand (-b, and -H Cookie)."""
    headers = [_header(line) for given in part["header"] for line in _lines(given)]
    by_hand = [value for name, value in headers if name.lower() == "cookie" and value]
    headers = [(name, value) for name, value in headers if name.lower() != "cookie"]
    user = part["user"] if part["user"] is not None else login or None
    if user is not None and not _has(headers, "authorization"):
        headers.append(("Authorization", basic(user)))
    for name, field in (("user_agent", "User-Agent"), ("referer", "Referer")):
        value = part[name]
        if value is not None and not _has(headers, field.lower()):
            if name == "referer" and value.endswith(";auto"):
                raise NotSupported(what="--referer ;auto")
            headers.append((field, _clean(value)))
    by_hand = [_clean(text).strip().rstrip(";") for text in part["cookie"] if "=" in text] + by_hand
    return headers, "; ".join(by_hand)


def cookie_files(parts: Sequence[Mapping[str, Any]]) -> list[str]:
    """The files that -b names: what holds a `=` is cookies, `-b ""` only asks for a jar, and there is one."""
    return [text for part in parts for text in part["cookie"] if text and "=" not in text]


def jar_from(files: Sequence[str], jar_file: str | None, profile: str = USUAL_CLIENT) -> Jar:
    """A jar of that client with the cookies of Netscape files. One that -c is yet to write may be missing."""
    from inspect_cli.cookies import netscape
    from inspect_cli.cookies.jar import Jar

    jar = Jar(profile)
    for path in files:
        if path == jar_file and not os.path.exists(path):
            continue
        for cookie in netscape.read(read_bytes(path).decode("utf-8", "surrogateescape")):
            jar.add(cookie)
    return jar


def basic(user: str) -> str:
    """Basic credentials (RFC 7617 §2); a password that is not given is asked for, as curl does."""
    if ":" not in user:
        user += ":" + str(click.prompt(f"Password for {user}", hide_input=True, err=True, default=""))
    return "Basic " + b64encode(user.encode("utf-8", "surrogateescape")).decode()


def checked_url(text: str, schemes: Sequence[str]) -> tuple[str, str]:
    """(URL without userinfo, "user:password" or ""); without a scheme it is the first of `schemes`.

    Raises: BadUrl (problem: `characters`, `scheme`, `no-host`, `port`).
    """
    if re.search(r"[\x00-\x20\x7f]", text):
        raise BadUrl(url=text, problem="characters")
    scheme = _SCHEME.match(text)
    if scheme is not None and scheme[1].lower() not in schemes:
        raise BadUrl(url=text, problem="scheme")
    split = _split(text if scheme else f"{schemes[0]}:{'' if text.startswith('//') else '//'}{text}")
    login = ""
    if split.username is not None:
        password = "" if split.password is None else split.password
        login = f"{unquote(split.username)}:{unquote(password)}"
        split = split._replace(netloc=split.netloc.rpartition("@")[2])
    return split._replace(scheme=split.scheme.lower()).geturl(), login


def _split(url: str) -> SplitResult:
    try:
        split = urlsplit(url)
    except ValueError:  # an address in brackets that is none
        raise BadUrl(url=url, problem="no-host") from None
    if not split.hostname:
        raise BadUrl(url=url, problem="no-host")
    try:
        port = split.port
    except ValueError:
        raise BadUrl(url=url, problem="port") from None
    if port == 0:
        raise BadUrl(url=url, problem="port")
    return split


def resolved(line: str) -> tuple[tuple[str, int], str]:
    """--resolve HOST:PORT:ADDR. Raises: UsageProblem, NotSupported."""
    match = re.match(r"\+?(\[[^]]*\]|[^:\[\]]+):([0-9]{1,5}):(\[[0-9a-fA-F:.]+\]|[^\[\],]+)\Z", line)
    if match is None and ("," in line or line.startswith(("-", "*"))):
        raise NotSupported(what=f"--resolve {line}")
    if match is None:
        raise UsageProblem(problem="resolve")
    return (match[1].strip("[]").lower(), int(match[2])), match[3].strip("[]")


def _body(part: Mapping[str, Any]) -> tuple[bytes | None, str]:
    """(body, its Content-Type)."""
    if part["form"] and part["body"]:
        raise UsageProblem(problem="form-and-data")
    if part["form"]:
        boundary = "-" * 24 + secrets.token_hex(11)
        return multipart(part["form"], boundary), f"multipart/form-data; boundary={boundary}"
    data = data_of(part["body"])
    return data, "" if data is None else FORM_TYPE


def _with_query(url: str, data: bytes) -> str:
    split = urlsplit(url)
    query = data.decode("utf-8", "surrogateescape")
    if re.search(r"[\x00-\x20\x7f]", query):
        raise BadUrl(url=url, problem="characters")
    return split._replace(query=f"{split.query}&{query}" if split.query else query).geturl()


def _lines(given: str) -> list[str]:
    """One -H: a line, or `@FILE` with a line each."""
    if not given.startswith("@"):
        return [given]
    return [line for line in read_bytes(given[1:]).decode("utf-8", "surrogateescape").splitlines() if line.strip()]


def _header(line: str) -> Header:
    """`Name: value`, `Name:` (not sent), `Name;` (sent without a value)."""
    if line.startswith(":"):
        raise NotSupported(what=line.partition(":")[0] + ":" + line[1:].partition(":")[0])
    name, colon, value = line.partition(":")
    if not colon and name.rstrip().endswith(";"):
        name = name.rstrip().removesuffix(";")
        value = ";"
    if not _TOKEN.match(name.strip()) or not (colon or value):
        raise UsageProblem(problem="header")
    if value == ";" and not colon:
        return f"{name.strip()};", ""
    return name.strip(), _clean(value.strip())


def _clean(value: str) -> str:
    if re.search(r"[\x00\r\n]", value):
        raise UsageProblem(problem="control-character")
    return value


def _has(headers: Sequence[Header], name: str) -> bool:
    return any(field.rstrip(";").lower() == name for field, _ in headers)
