"""What stands under a filter's names, read from entries: only what is named is looked at.

Every name gives its leaves: the values themselves, and of lists and objects what they hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any, Final

from inspect_cli.events.base import Entry, Event, shown_names
from inspect_cli.events.summary import Capture
from inspect_cli.events.tcp import Connection
from inspect_cli.render.filter_names import ADDRESSES, OUTCOMES
from inspect_cli.render.hidden import Hidden
from inspect_cli.render.redact import Redactor
from inspect_cli.render.rows import RowMaker
from inspect_cli.render.values import exact_text, pair_of
from inspect_cli.texts import Words

Leaves = Callable[[Entry], Sequence[Any]]

_REMEMBERED: Final = 65_536
"""Outermost channels whose hosts and ends are remembered, of those that nobody lets go;"""
_INSIDE: Final = 256
"""and hosts of channels inside one of them."""
_REMEMBERS: Final = frozenset({"host", "client", "server", "port", "time"})


class About:
    """What a filter knows besides the entry: the run, and the connections that it met."""

    def __init__(self) -> None:
        self._maker = RowMaker(Words("en"), Redactor("credentials"))
        self.hidden = Hidden(self._maker)
        self._capture: Capture | None = None
        self._first_ns: int | None = None
        self._hosts: dict[str, dict[str, str]] = {}  # by outermost channel, then by channel
        self._ends: dict[str, tuple[str, str]] = {}
        self._outcomes: list[dict[str, tuple[str, ...]]] = []
        self._getters: dict[tuple[type[Event], str], Callable[[Event], Any] | None] = {}
        self._remembers = False
        self._tells: dict[type[Event], tuple[bool, bool]] = {}
        """Whether rows of a type tell a host, and both ends."""
        self._asked: tuple[object, str | None] = (None, None)
        """The request looked at last, with its host: many rows follow from one."""

    # -- what it is told -----------------------------------------------------------------

    def begin(self, capture: Capture, maker: RowMaker) -> None:
        self._capture, self._maker, self.hidden = capture, maker, Hidden(maker)

    def learn(self, connections: Iterable[Connection]) -> None:
        """Outcomes by connection id; equal ones are one object."""
        same: dict[tuple[Any, ...], dict[str, tuple[str, ...]]] = {}
        for one in connections:
            key = (one.opened, one.closed, one.closed_first, one.protocols)
            found = same.get(key)
            if found is None:
                words = {"opened": one.opened, "closed": one.closed, "closed_first": one.closed_first}
                found = {name: (word,) if word else () for name, word in words.items()}
                found["protocols"] = one.protocols
                same[key] = found
            self._outcomes += [{}] * (one.id + 1 - len(self._outcomes))
            self._outcomes[one.id] = found

    def let_go(self, channel: str) -> None:
        self._hosts.pop(channel, None)
        self._ends.pop(channel, None)

    def see(self, entry: Entry) -> None:
        """Remember what later entries are asked about."""
        if not self._remembers:
            return
        event = entry.event
        if self._first_ns is None:
            capture = self._capture
            known = capture.started_ns if capture is not None and capture.source == "file" else None
            self._first_ns = event.where.time_ns if known is None else known
        tells = self._tells.get(event.__class__)
        if tells is None:
            names = shown_names(event.__class__)
            tells = self._tells[event.__class__] = ("host" in names, "client" in names and "server" in names)
        host = self._shown(event, "host") if tells[0] else None
        if host:
            text = exact_text(host) if isinstance(host, bytes) else str(host)
            inside = _kept(self._hosts, _outermost(event.where.channel), {})
            inside.pop(event.where.channel, None)
            _keep(inside, event.where.channel, text.lower(), _INSIDE)
        client, server = (self._shown(event, "client"), self._shown(event, "server")) if tells[1] else (None, None)
        if isinstance(client, str) and isinstance(server, str):
            _keep(self._ends, _outermost(event.where.channel), (client, server), _REMEMBERED)

    # -- leaves --------------------------------------------------------------------------

    def leaves(self, name: str) -> Leaves:
        """What stands under this name."""
        self._remembers = self._remembers or name in _REMEMBERS
        special = _OF_ENTRY.get(name)
        own: Leaves
        if special is not None:
            own = special
        elif name in OUTCOMES:
            own = self._outcome(name)
        else:
            of_run: dict[str, Leaves] = {
                "time": self._time,
                "text": self._text,
                "host": self._host,
                "client": lambda entry: self._end(entry)[:1],
                "server": lambda entry: self._end(entry)[1:],
                "port": lambda entry: _ports(self._end(entry)),
            }
            if name not in of_run:
                return lambda entry: self._fields(entry, name)
            own = of_run[name]
        if name in ADDRESSES:
            return own  # a key of `fields` of that name says the same
        return lambda entry: (*own(entry), *self._fields(entry, name))

    def _fields(self, entry: Entry, name: str) -> Sequence[Any]:
        """Leaves of a key of the row's `fields`."""
        value = self._shown(entry.event, name)
        if value is None:
            return ()
        if value.__class__ in (str, int, bool, float):
            return (value,)
        if self.hidden.numbers(entry):  # in the order of the row, or its tokens would be others
            return tuple(_flat(self._maker.row(entry)["fields"][name]))
        return tuple(_flat(pair_of(value, self._maker.redactor)[0]))

    def _shown(self, event: Event, name: str) -> Any:
        """The attribute of that name, None where this type shows none."""
        key = (event.__class__, name)
        try:
            getter = self._getters[key]
        except KeyError:
            getter = self._getters[key] = attrgetter(name) if name in shown_names(event.__class__) else None
        return None if getter is None else getter(event)

    def _time(self, entry: Entry) -> Sequence[Any]:
        """Seconds since the capture began."""
        return ((entry.event.where.time_ns - (self._first_ns or 0)) / 1e9,)

    def _text(self, entry: Entry) -> Sequence[Any]:
        return (self._maker.row(entry)["text"],)

    def _host(self, entry: Entry) -> Sequence[Any]:
        """The Host of the request that this belongs to, else the last one asked for on its channel.

        A channel without one has that of the nearest around it, and that around all the last inside.
        """
        asked = self._request_host(entry.event)
        if asked:
            return (asked,)
        channel = entry.event.where.channel
        hosts = self._hosts.get(_outermost(channel))
        if not hosts:
            return ()
        while channel:
            host = hosts.get(channel)
            if host is not None:
                return (host,)
            channel = channel.rpartition("/")[0]
        return (next(reversed(hosts.values())),)

    def _request_host(self, event: Event) -> str | None:
        """The Host of the request that an event is, answers, or follows from."""
        for _ in range(4):
            request = getattr(event, "request", None)
            holder: Any = event if request is None else request
            if hasattr(holder.__class__, "host"):
                if holder is not self._asked[0]:
                    host = holder.host
                    self._asked = holder, exact_text(host).lower() if isinstance(host, bytes) else None
                if self._asked[1] is not None:
                    return self._asked[1]
            of = getattr(event, "of", None)
            if not isinstance(of, Event):
                return None
            event = of
        return None

    def _end(self, entry: Entry) -> Sequence[str]:
        return self._ends.get(_outermost(entry.event.where.channel), ())

    def _outcome(self, name: str) -> Leaves:
        def leaves(entry: Entry) -> Sequence[Any]:
            number = _connection(entry)
            return self._outcomes[number[0]].get(name, ()) if number and number[0] < len(self._outcomes) else ()

        return leaves

    # -- comparisons of text -------------------------------------------------------------

    @staticmethod
    def equals(name: str, wanted: set[object], between: list[tuple[float, float]]) -> Callable[[Any], bool]:
        """Whether a leaf is one of these values, or a number in one of these ranges."""
        if name in ADDRESSES:
            hosts = {str(one).lower() for one in wanted}
            return lambda leaf: leaf.lower() in hosts or bare(leaf.lower()) in hosts
        if name == "channel":
            within = tuple(f"{one}/" for one in wanted)
            return lambda leaf: leaf in wanted or leaf.startswith(within)

        def fits(leaf: Any) -> bool:
            if leaf.__class__ is bool:  # True == 1, and `masked == 1` is no question
                return (bool, leaf) in wanted
            if leaf in wanted:
                return True
            return leaf.__class__ in (int, float) and any(low <= leaf <= high for low, high in between)

        return fits

    @staticmethod
    def holds(name: str, part: str) -> Callable[[Any], bool]:
        """Whether a leaf is text with this part in it; hosts and addresses in any case."""
        if name in ADDRESSES:
            part = part.lower()
            return lambda leaf: part in leaf.lower()
        return lambda leaf: leaf.__class__ is str and part in leaf


def _connection(entry: Entry) -> Sequence[int]:
    kind, _, rest = entry.event.where.channel.partition("/")
    number = rest.partition("/")[0]
    return (int(number),) if kind == "tcp" and number.isdigit() else ()


def _ports(ends: Iterable[str]) -> Sequence[int]:
    ports = (end.rpartition(":")[2] for end in ends)
    return [int(port) for port in ports if port.isdigit()]


_OF_ENTRY: Final[Mapping[str, Leaves]] = {
    "number": lambda entry: (entry.number,),
    "parent": lambda entry: () if entry.parent is None else (entry.parent,),
    "time_ns": lambda entry: (entry.event.where.time_ns,),
    "frame": lambda entry: entry.event.where.frames,
    "frames": lambda entry: entry.event.where.frames,
    "channel": lambda entry: (entry.event.where.channel,) if entry.event.where.channel else (),
    "connection": _connection,
    "side": lambda entry: () if entry.event.where.side is None else (entry.event.where.side.word,),
    "layer": lambda entry: (entry.event.layer,),
    "kind": lambda entry: (entry.event.kind,),
    "basis": lambda entry: (entry.event.where.basis,),
    "concept": lambda entry: [annotation.concept for annotation in entry.annotations],
    "code": lambda entry: [annotation.code for annotation in entry.annotations],
    "level": lambda entry: [annotation.level for annotation in entry.annotations],
}


def _flat(value: Any) -> Iterator[Any]:
    """What a JSON value holds, however deep."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from _flat(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _flat(inner)
    elif value is not None:
        yield value


def _outermost(channel: str) -> str:
    inside = channel.find("/", channel.find("/") + 1)
    return channel if inside < 0 else channel[:inside]


def bare(address: str) -> str:
    """A Host or an endpoint without its port; an IPv6 address keeps its brackets."""
    name, colon, port = address.rpartition(":")
    return name if colon and port.isdigit() and not name.endswith(":") else address


def _keep(known: dict[str, Any], key: str, value: Any, most: int) -> None:
    if key not in known and len(known) >= most:
        known.pop(next(iter(known)))
    known[key] = value


def _kept(known: dict[str, dict[str, str]], key: str, new: dict[str, str]) -> dict[str, str]:
    found = known.get(key)
    if found is None:
        found = new
        _keep(known, key, new, _REMEMBERED)
    return found
