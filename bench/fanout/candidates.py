"""What is measured: a process with a port, and a way to make an event in it."""

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import orjson
from pydantic import SecretStr

from app.auth.token_signing import TokenSigner
from app.hints.redis_backend import RedisBackend
from bench.servers import JWT_KEY, running
from devstack.demo_data import GENERAL, USER_IDS
from devstack.ports import free_port

SUBSCRIPTION = """subscription ($call: uuid!) {
  callEvents(callId: $call) { seq kind callId actor { id displayName avatarUrl } participantId userId payload createdAt }
}"""
# One event, as the service writes it.
WRITE = """WITH taken AS (UPDATE nchat_call_counters SET event_seq = event_seq + 1 WHERE call_id = $1 RETURNING event_seq)
    INSERT INTO nchat_call_events (call_id, seq, kind, actor_id, payload)
    SELECT $1, event_seq, 'connection_quality_changed', $2, $3::jsonb FROM taken"""
# Calls that nothing ends; the database writes the first event of each.
CALLS = """INSERT INTO nchat_calls (channel_id, initiator_id, type, status)
    SELECT $2, $3, 'audio', 'connected' FROM generate_series(1, $1) RETURNING id"""
# So that an event is about 300 bytes, like a message of a chat.
FILLING = "x" * 60
SETTLED_AFTER = 15.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """`pid` is the process that is measured, `order` what subscribers send, `emit` makes one event now."""

    name: str
    port: int
    pid: int
    order: dict[str, Any]
    emit: Callable[[], Awaitable[None]]


def sent_payload(seq: int, call: str) -> bytes:
    """The payload of an event as the service writes it, for those who only send it."""
    alice = str(USER_IDS["alice"])
    event = {
        "seq": seq,
        "kind": "connection_quality_changed",
        "callId": call,
        "actor": {"id": alice, "displayName": "Alice", "avatarUrl": None},
        "participantId": None,
        "userId": None,
        "payload": {"at": time.monotonic(), "filling": FILLING},
        "createdAt": "2026-01-01T00:00:00.000000+00:00",
    }
    return orjson.dumps({"data": {"callEvents": event}})


@asynccontextmanager
async def service(database_url: str, redis_url: str, calls: int = 1) -> AsyncIterator[Candidate]:
    """This service, subscribers spread over so many calls; events of the first are committed by another process, which hints as it does."""
    async with AsyncExitStack() as stack:
        writer = await asyncpg.connect(database_url)
        stack.push_async_callback(writer.close)
        ids = [row["id"] for row in await writer.fetch(CALLS, calls, GENERAL, USER_IDS["alice"])]
        hints = RedisBackend(redis_url)
        await hints.connect()
        stack.push_async_callback(hints.disconnect)

        async def emit() -> None:
            payload = orjson.dumps({"at": time.monotonic(), "filling": FILLING}).decode()
            await writer.execute(WRITE, ids[0], USER_IDS["alice"], payload)
            await hints.publish(f"call:{ids[0]}", "")

        port = free_port()
        command = [str(Path(sys.executable).with_name("nchat-rtc")), "serve", "--database-url", database_url, "--port", str(port)]
        env = {
            "NCHAT_JWT_SECRET": f'{{"type": "HS256", "key": "{JWT_KEY}"}}',
            "NCHAT_LIVEKIT_ENABLED": "false",
            "NCHAT_REDIS_URL": redis_url,
        }
        pid = stack.enter_context(running(command, env, f"http://127.0.0.1:{port}/healthz"))
        # Its first looks at everything that another life may have left are no part of what events cost.
        await asyncio.sleep(SETTLED_AFTER)
        token = TokenSigner.of(SecretStr(env["NCHAT_JWT_SECRET"])).sign(USER_IDS["alice"], "user", ttl=3600)
        order = {"path": "/v1/graphql", "subprotocol": "graphql-transport-ws", "messages": [_subscribes(token, str(id)) for id in ids]}
        yield Candidate("service", port, pid, order, emit)


def _subscribes(token: str, call: str) -> list[str]:
    init = {"type": "connection_init", "payload": {"headers": {"authorization": f"Bearer {token}"}}}
    subscribe = {"type": "subscribe", "id": "1", "payload": {"query": SUBSCRIPTION, "variables": {"call": call}}}
    return [orjson.dumps(message).decode() for message in (init, subscribe)]


@asynccontextmanager
async def ceiling() -> AsyncIterator[Candidate]:
    """A frame made once, and one write a websocket."""
    async with _sender(
        "ceiling", [sys.executable, "-m", "bench.fanout.ceiling"], {"path": "/", "subprotocol": "bench", "messages": [[]]}
    ) as one:
        yield one


@asynccontextmanager
async def graphql_ws(packages: Path) -> AsyncIterator[Candidate]:
    """npm's graphql-ws, with the packages that the tests of clients use."""
    command = ["node", str(Path(__file__).with_name("graphql_ws.mjs")), str(packages)]
    async with _sender("graphql-ws", command, _stock_order("/graphql")) as one:
        yield one


@asynccontextmanager
async def strawberry() -> AsyncIterator[Candidate]:
    """Strawberry's own ASGI application."""
    async with _sender("strawberry", [sys.executable, "-m", "bench.fanout.strawberry_peer"], _stock_order("/graphql")) as one:
        yield one


def _stock_order(path: str) -> dict[str, Any]:
    """Peers ask for no token, and have the id of a call as an ID."""
    query = SUBSCRIPTION.replace("uuid!", "ID!")
    subscribe = {"type": "subscribe", "id": "1", "payload": {"query": query, "variables": {"call": "1"}}}
    messages = [orjson.dumps(message).decode() for message in ({"type": "connection_init"}, subscribe)]
    return {"path": path, "subprotocol": "graphql-transport-ws", "messages": [messages]}


@asynccontextmanager
async def _sender(name: str, command: list[str], order: dict[str, Any], cwd: Path | None = None) -> AsyncIterator[Candidate]:
    """A process that sends each line of its stdin as an event."""
    port = free_port()
    seq = 0
    with tempfile.TemporaryFile() as log:
        process = await asyncio.create_subprocess_exec(*command, str(port), stdin=subprocess.PIPE, stdout=log, stderr=log, cwd=cwd)
        try:
            await _listens(port)

            async def emit() -> None:
                nonlocal seq
                seq += 1
                assert process.stdin is not None
                process.stdin.write(sent_payload(seq, "00000000-0000-4000-8000-000000000999") + b"\n")
                await process.stdin.drain()

            yield Candidate(name, port, process.pid, order, emit)
        finally:
            process.kill()
            await process.wait()


async def _listens(port: int) -> None:
    give_up = time.monotonic() + 60
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            if time.monotonic() > give_up:
                raise
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return
