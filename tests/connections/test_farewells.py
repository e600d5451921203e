"""The end of a process: listeners are sent away one after the other, and all in time."""

from itertools import pairwise

import pytest

from app.connections.farewells import FAREWELL_SECONDS, GAP_SECONDS
from tests.connections.by_hand import Served
from tests.hostile.raw_client import frame

PING = 9
STEP = 0.1
CLOSE_1012 = b"\x03\xf4"  # 1012 in the two bytes of a close frame


@pytest.mark.parametrize("number", [1, 20, 900])
def test_listeners_go_one_after_the_other_and_all_in_time(number: int) -> None:
    served = Served()
    sockets = [served.websocket() for _ in range(number)]
    for protocol, _ in sockets:
        protocol.shutdown()
    gone = []
    for seconds in (0, *[STEP] * (round(FAREWELL_SECONDS / STEP) + 1)):
        served.loop.turn(seconds)
        gone.append(sum(transport.closed for _, transport in sockets))
    at_once = max(after - before for before, after in pairwise([0, *gone]))
    assert at_once <= max(STEP / GAP_SECONDS, STEP * number / FAREWELL_SECONDS) + 1
    assert (gone[0], gone[-1]) == (1, number)
    assert all(CLOSE_1012 in transport.written for _, transport in sockets)
    assert served.ended == []


def test_until_its_turn_a_listener_is_served_as_before() -> None:
    served = Served()
    (first, first_transport), (second, second_transport) = served.websocket(), served.websocket()
    for protocol in (first, second):
        protocol.shutdown()
    served.loop.turn(0)
    assert (first_transport.closed, second_transport.closed) == (True, False)
    second.data_received(frame(b"still here", PING))
    assert b"still here" in second_transport.written
    served.loop.turn(FAREWELL_SECONDS)
    assert second_transport.closed


def test_one_that_left_before_its_turn_is_not_told() -> None:
    served = Served()
    protocol, transport = served.websocket()
    other, _ = served.websocket()
    for one in (other, protocol):
        one.shutdown()
    transport.close()
    protocol.connection_lost(None)
    served.loop.turn(FAREWELL_SECONDS)
    assert CLOSE_1012 not in transport.written
