"""What a websocket's client may send, and what is kept for one that takes nothing."""

import pytest

from app.connections.endings import TOO_MANY_MESSAGES
from app.connections.message_budget import MessageBudget, cost_of
from app.connections.websocket_protocol import SHORT_SLICE_BYTES
from tests.connections.by_hand import Served
from tests.hostile.raw_client import frame

TEXT, PING = 1, 9
CLOSE_4429 = b"\x11\x4d"  # 4429 in the two bytes of a close frame


def test_a_budget_fills_by_itself_and_knows_a_flood_from_a_burst() -> None:
    budget = MessageBudget(50, 300, now=0)
    budget.spend(300, 0)
    assert not budget.overdrawn(0)
    budget.spend(25, 0)
    assert budget.overdrawn(0)
    assert not budget.overdrawn(1)
    assert budget.overdrawn_for(2) == 2
    assert budget.overdrawn_for(4) == 0


def test_what_is_long_costs_more_than_what_is_short() -> None:
    assert [cost_of(size) for size in (0, 1023, 2047, 2048, 64 * 1024)] == [1, 1, 1, 2, 64]


def test_long_messages_are_read_as_slowly_as_many_short_ones() -> None:
    served = Served()
    protocol, _ = served.websocket()
    protocol.data_received(frame(b"x" * 60_000, TEXT) * 40)

    def taken() -> int:
        count = 0
        while not protocol.queue.empty():
            protocol.queue.get_nowait()
            protocol._parse()
            count += 1
        return count

    assert taken() == 300 // cost_of(60_000) + 1
    later = 0
    for _ in range(10):
        served.loop.turn(1)
        later += taken()
    assert later == 10 * 50 // cost_of(60_000)


def test_a_steady_client_below_the_rate_recovers_from_its_burst() -> None:
    budget, now = MessageBudget(50, 300, now=0), 0.0
    budget.spend(320, now)
    while now < 60:
        now += 1
        if not budget.overdrawn(now):
            budget.spend(45, now)
        assert budget.overdrawn_for(now) <= 10
    assert budget.overdrawn_for(now) == 0


def test_a_flood_never_recovers() -> None:
    budget, now = MessageBudget(50, 300, now=0), 0.0
    budget.spend(320, now)
    while now < 20:
        now += 1
        if not budget.overdrawn(now):
            budget.spend(100, now)
    assert budget.overdrawn_for(now) == 20


def test_a_flood_is_read_slowly_and_then_closed_in_words() -> None:
    served = Served()
    protocol, transport = served.websocket()
    flood = frame(b"", PING) * 40_000
    protocol.data_received(flood)
    parsed = len(flood) - len(protocol._unparsed)
    assert parsed < 800 * len(frame(b"", PING))
    assert not transport.reading
    served.loop.turn(9)
    assert served.ended == []
    assert len(flood) - len(protocol._unparsed) - parsed <= 9 * 50 * len(frame(b"", PING)) + 2048
    served.loop.turn(3)
    assert served.ended == [TOO_MANY_MESSAGES.reason]
    assert CLOSE_4429 in transport.written
    assert transport.closed


def test_a_burst_of_a_busy_client_is_read_at_once() -> None:
    served = Served()
    protocol, transport = served.websocket()
    protocol.data_received(frame(b"", PING) * 250)
    assert (len(protocol._unparsed), transport.reading) == (0, True)
    served.loop.turn(60)
    assert served.ended == []


def test_many_websockets_of_one_client_have_a_budget_together_and_who_uses_one_beside_them_is_read_at_once() -> None:
    served = Served()
    many = [served.websocket() for _ in range(40)]
    person, _ = served.websocket()
    stranger, _ = served.websocket()
    for protocol in (*(one for one, _ in many), person):
        protocol.comes_from("2001:db8::1")
    stranger.comes_from("2001:db8:0:1::1")
    size = len(frame(b"", PING))
    for protocol, _ in many:
        protocol.data_received(frame(b"", PING) * 280)

    def read() -> int:
        return sum(280 - len(protocol._unparsed) // size for protocol, _ in many)

    slice_ = SHORT_SLICE_BYTES // size + 1
    # Each may send what a person does, whatever the others do.
    assert 3000 <= read() <= 3000 + 40 * (20 + slice_)
    before = read()
    served.loop.turn(4)
    assert before < read() <= before + 4 * (500 + 40 * (2 + slice_))
    for protocol in (person, stranger):
        protocol.data_received(frame(b"", PING) * 15)
        assert not protocol._unparsed
    served.loop.turn(60)
    assert read() == 40 * 280
    assert served.ended == []


def test_nothing_is_read_of_a_client_that_takes_no_pongs() -> None:
    served = Served()
    protocol, transport = served.websocket()
    transport.unsent = 70_000
    protocol.pause_writing()
    before = len(transport.written)
    protocol.data_received(frame(b"p" * 125, PING) * 100)
    assert len(transport.written) == before
    assert not transport.reading


def test_who_takes_nothing_for_long_is_dropped_and_who_takes_slowly_is_not() -> None:
    served = Served(unread_seconds=20, unread_progress=65_536)
    stalled, stalled_transport = served.websocket()
    slow, slow_transport = served.websocket()
    for protocol, transport in ((stalled, stalled_transport), (slow, slow_transport)):
        transport.unsent = 1_000_000
        protocol.pause_writing()
    for _ in range(14):
        slow_transport.unsent -= 66_000
        served.loop.turn(15)
    assert (stalled_transport.aborted, slow_transport.aborted) == (True, False)
    assert served.ended == ["unread"]


def test_a_process_holds_no_more_than_its_total_and_the_slowest_go_first() -> None:
    served = Served(unsent_bytes=1_000_000)
    clients = [served.websocket() if number % 2 else served.http() for number in range(5)]
    for number, (protocol, transport) in enumerate(clients):
        transport.unsent = 300_000
        protocol.pause_writing()
        assert sum(one.unsent for _, one in clients[: number + 1] if not one.aborted) <= 1_000_000
        served.loop.turn(0.5)
    assert [transport.aborted for _, transport in clients] == [True, True, False, False, False]
    assert served.ended == ["unsent-too-much"] * 2


def test_what_waits_behind_an_unread_answer_counts_too() -> None:
    served = Served(unsent_bytes=1_000_000)
    first, first_transport = served.websocket()
    second, second_transport = served.websocket()
    for protocol, transport in ((first, first_transport), (second, second_transport)):
        transport.unsent = 300_000
        protocol.pause_writing()
    second.hold(300_000)
    assert not first_transport.aborted
    second.hold(200_000)
    assert (first_transport.aborted, second_transport.aborted) == (True, False)
    second.hold(-500_000)
    assert second.held() == 300_000


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_who_takes_it_all_is_forgotten(kind: str) -> None:
    served = Served(unsent_bytes=500_000)
    protocol, transport = served.http() if kind == "http" else served.websocket()
    transport.unsent = 400_000
    protocol.pause_writing()
    transport.unsent = 0
    protocol.resume_writing()
    served.loop.turn(30)
    other, other_transport = served.websocket()
    other_transport.unsent = 400_000
    other.pause_writing()
    assert "unsent-too-much" not in served.ended
