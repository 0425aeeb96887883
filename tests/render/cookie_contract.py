"""The JSON contract of `cookie why` and `cookie jar`."""

from __future__ import annotations

from typing import Any

from inspect_cli.events.summary import SCHEMA

Json = dict[str, Any]

TEXT: Json = {"type": "string"}
FLAG: Json = {"type": "boolean"}
TIME: Json = {"type": "integer"}
COUNT: Json = {"type": "integer", "minimum": 0}
LINE: Json = {"type": "integer", "minimum": 1}
NAME: Json = {"enum": ["rfc6265bis", "chromium", "firefox", "safari", "curl", "python"]}
VIA: Json = {"enum": ["navigate", "link", "post", "fetch", "img", "iframe", "js"]}


def documents() -> Json:
    """Of `--format json`."""
    return {
        "why": _object(schema={"const": SCHEMA}, profiles=_list(_profile()), set=_list(_set()), send=_list(_send())),
        "jar": _object(schema={"const": SCHEMA}, **_jar(), cookies=_list(_cookie()), unreadable=_list(_unreadable())),
    }


def lines() -> Json:
    """Of `--format ndjson`."""
    return {
        "why_line": {
            "oneOf": [
                _object(type={"const": "why"}, schema={"const": SCHEMA}, profiles=_list(_profile())),
                _typed("set", _set()),
                _typed("send", _send()),
            ]
        },
        "jar_line": {
            "oneOf": [
                _object(type={"const": "jar"}, schema={"const": SCHEMA}, **_jar()),
                _typed("cookie", _cookie()),
                _typed("unreadable", _unreadable()),
            ]
        },
    }


def parts() -> Json:
    """What they are made of."""
    return {"cookie_profile": _profile_shape(), "cookie_step": _step_shape(), "cookie_kept": _kept_shape()}


def _profile() -> Json:
    return {"$ref": "#/$defs/cookie_profile"}


def _step() -> Json:
    return {"$ref": "#/$defs/cookie_step"}


def _profile_shape() -> Json:
    return _object(
        name=NAME,
        knows_same_site=FLAG,
        max_lifetime_s=_or_null(COUNT),
        max_pair_bytes=_or_null(COUNT),
        max_per_domain=_or_null(COUNT),
        max_total=_or_null(COUNT),
        unknown_limits=FLAG,
    )


def _how() -> Json:
    return {
        "url": TEXT,
        "method": TEXT,
        "via": VIA,
        "from": _or_null(TEXT),
        "top": _or_null(TEXT),
        "same_site": FLAG,
        "time_ns": TIME,
    }


def _kept_shape() -> Json:
    return _object(
        name=TEXT,
        value=TEXT,
        domain=TEXT,
        host_only=FLAG,
        path=TEXT,
        expires_ns=_or_null(TIME),
        secure=FLAG,
        http_only=FLAG,
        same_site={"enum": ["strict", "lax", "none", "default"]},
        partition=TEXT,
    )


def _set() -> Json:
    decision = _object(
        profile=NAME,
        outcome={"enum": ["stored", "refused", "deleted"]},
        reasons=_list(TEXT, 1),
        reference=TEXT,
        cookie=_or_null({"$ref": "#/$defs/cookie_kept"}),
        replaced=FLAG,
        steps=_list(_step()),
    )
    return _object(line=TEXT, name=TEXT, **_how(), decisions=_list(decision, 1))


def _send() -> Json:
    cookie = _object(
        line=LINE,
        name=TEXT,
        domain=TEXT,
        path=TEXT,
        sent=FLAG,
        reasons=_list(TEXT, 1),
        reference=TEXT,
        steps=_list(_step()),
    )
    decision = _object(profile=NAME, header=_or_null(TEXT), cookies=_list(cookie))
    return _object(**_how(), decisions=_list(decision, 1))


def _step_shape() -> Json:
    return _object(clause=TEXT, check=TEXT, outcome={"enum": ["passed", "failed", "applied", "skipped"]}, found=TEXT)


def _jar() -> Json:
    return {"file": TEXT, "time_ns": TIME, "has_head": FLAG}


def _cookie() -> Json:
    problem = _object(code=TEXT, data={"type": "object"}, text=TEXT)
    return _object(
        line=LINE,
        name=TEXT,
        value=TEXT,
        domain=TEXT,
        host_only=FLAG,
        path=TEXT,
        secure=FLAG,
        http_only=FLAG,
        expires_ns=_or_null(TIME),
        size_bytes=COUNT,
        problems=_list(problem),
    )


def _unreadable() -> Json:
    problem: Json = {"enum": ["spaces", "fields", "domain", "path", "expiry"]}
    return _object(line=LINE, problem=problem, found=TEXT, text=TEXT)


def _object(**properties: Any) -> Json:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _typed(kind: str, of: Json) -> Json:
    return _object(type={"const": kind}, **of["properties"])


def _list(items: Json, least: int = 0) -> Json:
    return {"type": "array", "items": items} | ({"minItems": least} if least else {})


def _or_null(of: Json) -> Json:
    return {"anyOf": [of, {"type": "null"}]}
