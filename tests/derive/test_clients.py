from __future__ import annotations

from dataclasses import replace

from inspect_cli.cookies import asking_for
from inspect_cli.derive.clients import MAX_CONNECTIONS, MAX_JARS, Clients
from inspect_cli.derive.matching import Known
from inspect_cli.events.calls import Context, GivenCookie
from tests.derive.making import NOW, Talk, context, given

ASKING = asking_for("http://a.test/")


def told(*cookies: GivenCookie, jar: str = "jar", profile: str = "rfc6265bis") -> Context:
    event = context(ASKING, *cookies, jar=jar)
    return replace(event.context, profile=profile)


def test_a_connection_names_its_ends_until_it_is_over() -> None:
    clients, talk = Clients(), Talk("[fe80::1]:5", "[fe80::2]:80")
    assert ("tcp/0", "") == (clients.address_of("tcp/0"), clients.server_of("tcp/0"))
    clients.opened(talk.syn())
    assert ("[fe80::1]", "fe80::2") == (clients.address_of("tcp/0"), clients.server_of("tcp/0"))
    clients.closed("tcp/0")
    assert clients.address_of("tcp/0") == "tcp/0"


def test_connections_that_never_end_are_bounded() -> None:
    clients = Clients()
    for number in range(MAX_CONNECTIONS + 1):
        clients.opened(Talk(channel=f"tcp/{number}").syn())
    assert ["tcp/0", "10.0.0.1"] == [clients.address_of(channel) for channel in ("tcp/0", "tcp/1")]


def test_jars_are_bounded_and_the_one_used_longest_ago_goes() -> None:
    clients = Clients()
    for number in range(MAX_JARS + 1):
        clients.recorded("c", b"%d" % number, make=True)
        clients.recorded("c", b"0", make=False)
    assert clients.recorded("c", b"1", make=False) is None
    assert clients.recorded("c", b"0", make=False) is not None
    assert clients.has_any("c")


def test_all_jars_together_are_bounded_in_bytes() -> None:
    clients = Clients()
    for number in range(400):
        client = clients.recorded(f"c{number}", b"", make=True)
        assert client is not None
        for name in range(50):
            client.jar.store(b"n%d=" % name + b"x" * 4000, ASKING, NOW, steps=False)
        clients.grown(client)
    assert not clients.has_any("c0")
    assert clients.has_any("c399")


def test_given_cookies_are_put_in_once() -> None:
    clients = Clients()
    context = told(given(b"n", b"v"), given(b"h", b"v", by_hand=True))
    client = clients.named(context)
    assert [(b"n", Known((), is_given=True))] == [(c.name, c.tag) for c in client.jar]
    client.jar.store(b"n=; Max-Age=0; Path=/", ASKING, NOW)
    assert clients.named(context) is client
    assert () == client.jar.cookies


def test_what_the_capture_stored_is_not_overwritten_by_what_was_given() -> None:
    clients = Clients()
    client = clients.named(told())
    client.jar.store(b"n=new; Path=/", ASKING, NOW)
    clients.named(told(given(b"n", b"old")))
    assert [b"new"] == [cookie.value.value for cookie in client.jar]


def test_an_unknown_profile_means_the_drafts() -> None:
    assert Clients().named(told(profile="lynx")).jar.profile.name == "rfc6265bis"


def test_names_of_jars_are_no_addresses_of_clients() -> None:
    clients = Clients()
    recorded = clients.recorded("jar", b"", make=True)
    assert all(clients.named(told(jar=name)) is not recorded for name in ("jar", "=jar", "#jar"))
