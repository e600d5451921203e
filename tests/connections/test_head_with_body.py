"""The head of an answer and its body are written at once, where it is known that there is a body."""

import asyncio
from typing import Any

from tests.connections.by_hand import Served, Transport

OK: Any = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]}
BODY: Any = {"type": "http.response.body", "body": b"{}"}


class Asked:
    """A connection whose request is read, and waits for its answer."""

    def __init__(self, method: str = "GET") -> None:
        protocol, self.transport = Served().http()
        protocol.data_received(f"{method} / HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert protocol.cycle is not None
        self.cycle = protocol.cycle

    def send(self, message: Any) -> Transport:
        asyncio.run(self.cycle.send(message))
        return self.transport


def test_an_answer_is_written_at_once() -> None:
    asked = Asked()
    assert asked.send(OK).written == b""
    answered = asked.send(BODY)
    assert answered.written.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answered.written.endswith(b"content-length: 2\r\n\r\n{}")
    assert answered.writes == 1


def test_the_next_answer_of_the_connection_too() -> None:
    protocol, transport = Served().http()
    for _ in range(2):
        protocol.data_received(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert protocol.cycle is not None
        asyncio.run(protocol.cycle.send(OK))
        asyncio.run(protocol.cycle.send(BODY))
    assert transport.writes == 2
    assert transport.written.count(b"\r\n\r\n{}") == 2


def test_a_body_in_pieces_is_written_as_it_comes() -> None:
    asked = Asked()
    asked.send({**OK, "headers": [(b"content-length", b"4")]})
    assert asked.send({**BODY, "more_body": True}).writes == 1
    assert asked.send(BODY).writes == 2
    assert asked.transport.written.endswith(b"\r\n\r\n{}{}")


def test_a_stream_begins_at_once() -> None:
    started = Asked().send({"type": "http.response.start", "status": 200, "headers": []})
    assert started.written.endswith(b"transfer-encoding: chunked\r\n\r\n")


def test_what_has_no_body_goes_at_once() -> None:
    assert Asked("HEAD").send(OK).written.endswith(b"content-length: 2\r\n\r\n")
    assert Asked().send({"type": "http.response.start", "status": 204, "headers": []}).written.startswith(b"HTTP/1.1 204 ")


def test_an_answer_that_breaks_off_is_told_as_far_as_it_came() -> None:
    asked = Asked()
    asked.send(OK)

    async def fails(_scope: object, _receive: object, _send: object) -> None:
        raise RuntimeError

    asyncio.run(asked.cycle.run_asgi(fails))
    assert asked.transport.written.endswith(b"content-length: 2\r\n\r\n")
    assert asked.transport.closed


def test_the_word_to_send_on_does_not_wait() -> None:
    protocol, transport = Served().http()
    protocol.data_received(b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
    protocol.data_received(b"{}")
    assert protocol.cycle is not None
    cycle = protocol.cycle

    async def answer() -> None:
        await cycle.receive()
        assert transport.written == b"HTTP/1.1 100 Continue\r\n\r\n"
        await cycle.send(OK)
        await cycle.send(BODY)

    asyncio.run(answer())
    assert transport.writes == 2
