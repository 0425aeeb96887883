from __future__ import annotations

from inspect_cli.derive.exchanges import Exchanges
from inspect_cli.events.http import Exchange
from tests.derive.making import House, Talk


def test_a_final_response_makes_an_exchange_with_its_request() -> None:
    """RFC 9110 §15.2: 1xx are not final, but nothing follows a 101."""
    talk, house = Talk(), House(Exchanges)
    request = talk.request("GET / HTTP/1.1\nHost: a.test")
    interim = talk.response(request, "HTTP/1.1 100 Continue")
    early = talk.response(request, "HTTP/1.1 103 Early Hints")
    final = talk.response(request, "HTTP/1.1 200 OK")
    switch = talk.response(request, "HTTP/1.1 101")
    odd = talk.response(request, "HTTP/1.1 1000 what")
    expected = [Exchange(final.where, request, final), Exchange(switch.where, request, switch)]
    assert [*expected, Exchange(odd.where, request, odd)] == house.see(interim, early, final, switch, odd)


def test_a_response_without_its_request_is_no_exchange() -> None:
    talk = Talk()
    assert [] == House(Exchanges).see(talk.response(None, "HTTP/1.1 200 OK"))
