"""What a client may send before its request is there, and for how long."""

import pytest

from tests.connections.by_hand import Served

START = b"POST /v1/graphql HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize(
    ("sent", "status", "reason"),
    [
        (b"GET /" + b"a" * 40_000, b"414 ", "url-too-long"),
        (b"GET /?" + b"a" * 300_000 + b" HTTP/1.1\r\n\r\n", b"414 ", "url-too-long"),
        (START + b"X: " + b"a" * 40_000 + b"\r\n\r\n", b"431 ", "head-too-large"),
        (START + b"".join(b"X%d: 1\r\n" % n for n in range(20_000)), b"431 ", "head-too-large"),
        (START + b"X: " + b"a" * 400_000, b"431 ", "head-too-large"),
        (START + b"a" * 400_000, b"431 ", "head-too-large"),
        (START + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n" + b"X: 1\r\n" * 200, b"431 ", "head-too-large"),
        (START + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 5000, b"400 ", "body-too-fine"),
        (START + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"a" * 200_000, b"400 ", "body-too-fine"),
        (b"\r\n" * 100_000, b"400 ", "not-http"),
        (b"\x16\x03\x01\x02\x00", b"400 ", "not-http"),
    ],
)
@pytest.mark.parametrize("piece", [1 << 16, 1000])
def test_what_is_too_large_is_refused_in_words_and_not_read_on(sent: bytes, status: bytes, reason: str, piece: int) -> None:
    served = Served()
    protocol, transport = served.http()
    for start in range(0, len(sent), piece):
        protocol.data_received(sent[start : start + piece])
    assert transport.written.startswith(b"HTTP/1.1 " + status)
    assert b"\r\nconnection: close\r\n" in transport.written
    assert not transport.reading
    assert served.ended == [reason]
    served.loop.turn(3)
    assert transport.aborted


def test_the_largest_head_that_is_allowed_passes() -> None:
    served = Served()
    protocol, transport = served.http()
    protocol.data_received(START + b"Cookie: " + b"a" * 32_000 + b"\r\n" + b"Y: 1\r\n" * 97 + b"\r\n")
    assert len(served.loop.tasks) == 1
    assert transport.written == b""


def test_a_head_is_measured_from_its_own_beginning() -> None:
    served = Served()
    protocol, transport = served.http()
    protocol.data_received(START + b"Content-Length: 200000\r\n\r\n")
    protocol.data_received(b"a" * 200_000 + START + b"Cookie: ")
    protocol.data_received(b"a" * 20_000 + b"\r\n\r\n")
    assert transport.written == b""


def test_trailers_are_no_headers() -> None:
    served = Served()
    protocol, _ = served.http()
    protocol.data_received(START + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nAuthorization: stolen\r\n\r\n")
    assert [name for name, _ in protocol.scope["headers"]] == [b"host", b"transfer-encoding"]


@pytest.mark.parametrize(
    ("sent", "seconds", "answer", "reason"),
    [
        (b"", 20, b"", "idle"),
        (b"\r\n", 10, b"HTTP/1.1 408 ", "head-too-slow"),
        (b"POST /v1/gra", 10, b"HTTP/1.1 408 ", "head-too-slow"),
        (START, 10, b"HTTP/1.1 408 ", "head-too-slow"),
        (START + b"Content-Length: 9\r\n\r\n12345", 15, b"HTTP/1.1 408 ", "body-too-slow"),
        (START + b"Transfer-Encoding: chunked\r\n\r\n5\r\n123", 15, b"HTTP/1.1 408 ", "body-too-slow"),
    ],
)
def test_what_is_not_complete_in_time_ends(sent: bytes, seconds: float, answer: bytes, reason: str) -> None:
    served = Served()
    protocol, transport = served.http()
    if sent:
        protocol.data_received(sent)
    served.loop.turn(seconds - 1)
    assert served.ended == []
    served.loop.turn(3)
    assert served.ended == [reason]
    assert transport.written.startswith(answer)
    served.loop.turn(3)
    assert transport.closed


def test_a_byte_now_and_then_does_not_move_the_deadline() -> None:
    served = Served()
    protocol, transport = served.http()
    for letter in b"GET /abcdefgh":
        protocol.data_received(bytes([letter]))
        served.loop.turn(1)
    assert served.ended == ["head-too-slow"]
    assert transport.written.startswith(b"HTTP/1.1 408 ")


def test_a_body_that_keeps_coming_at_a_fair_rate_may_take_long() -> None:
    served = Served()
    protocol, _ = served.http()
    protocol.data_received(START + b"Content-Length: 1000000\r\n\r\n")
    for _ in range(60):
        protocol.data_received(b"a" * 8192)
        served.loop.turn(1)
    assert served.ended == []
    served.loop.turn(17)
    assert served.ended == ["body-too-slow"]


def test_a_request_that_is_answered_slowly_has_no_deadline() -> None:
    served = Served()
    protocol, transport = served.http()
    protocol.data_received(START + b"Content-Length: 2\r\n\r\n{}")
    served.loop.turn(600)
    assert (served.ended, transport.closed) == ([], False)


def test_pipelined_requests_are_bounded() -> None:
    served = Served()
    protocol, transport = served.http()
    protocol.data_received((START + b"\r\n") * 3000)
    assert len(protocol.pipeline) == 0
    assert len(served.loop.tasks) == 1
    assert not transport.reading
    assert served.ended == ["pipeline-full"]


def test_the_end_of_the_process_does_not_wait_for_what_is_half_sent() -> None:
    served = Served()
    answers = {
        b"": b"",
        START: b"HTTP/1.1 503 ",
        START + b"Content-Length: 9\r\n\r\n123": b"HTTP/1.1 503 ",
    }
    for sent, answer in answers.items():
        protocol, transport = served.http()
        if sent:
            protocol.data_received(sent)
        protocol.shutdown()
        assert transport.closed
        assert transport.written.startswith(answer)
    complete, transport = served.http()
    complete.data_received(START + b"\r\n")
    complete.shutdown()
    assert not transport.closed


def test_an_address_has_its_share_and_a_trusted_proxy_any_number() -> None:
    served = Served(per_address=3, trusted_proxies=("10.0.0.0/8",))
    opened = [served.http("198.51.100.1") for _ in range(4)]
    assert [transport.closed for _, transport in opened] == [False] * 3 + [True]
    assert opened[3][1].written.startswith(b"HTTP/1.1 503 ")
    assert not served.http("198.51.100.2")[1].closed
    assert not any(served.http("10.1.2.3")[1].closed for _ in range(10))
    opened[0][0].connection_lost(None)
    assert not served.http("198.51.100.1")[1].closed
    assert served.ended == ["address-full"]


def test_one_address_has_no_more_than_a_quarter_of_all_however_few_those_are() -> None:
    served = Served(per_address=1000, total=8)
    opened = [served.http("198.51.100.1")[1] for _ in range(3)]
    assert [transport.closed for transport in opened] == [False, False, True]
    assert not served.http("198.51.100.2")[1].closed
    assert served.all.clients.take("198.51.100.3") is not None
    assert served.all.clients.take("198.51.100.3") is not None
    assert served.all.clients.take("198.51.100.3") is None


def test_a_network_of_ipv6_is_one_client() -> None:
    served = Served(per_address=1)
    assert not served.http("2001:db8::1")[1].closed
    assert served.http("2001:db8::2")[1].closed
    assert not served.http("2001:db8:0:1::1")[1].closed


def test_a_full_process_drops_who_waits_longest_for_a_request_and_nobody_who_waits_for_an_answer() -> None:
    served = Served(total=3, trusted_proxies=("203.0.113.0/24",))
    working, working_transport = served.http()
    working.data_received(START + b"\r\n")
    served.loop.turn(1)
    silent = [served.http()[1] for _ in range(2)]
    newest = served.http()[1]
    assert not working_transport.closed
    assert not newest.closed
    assert all(transport.closed for transport in silent)
    served.http()[0].data_received(START + b"\r\n")


def test_a_full_process_without_anybody_silent_refuses() -> None:
    served = Served(total=2, trusted_proxies=("203.0.113.0/24",))
    for _ in range(2):
        served.http()[0].data_received(START + b"\r\n")
    refused = served.http()[1]
    assert refused.written.startswith(b"HTTP/1.1 503 ")
    assert refused.closed
