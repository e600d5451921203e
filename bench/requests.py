"""The HTTP requests of a workload: a random one of 200 users each, and, where it asks for a row, ids that are theirs to see or not."""

import random
import time
from dataclasses import dataclass
from typing import Any

import asyncpg
import jwt
import orjson

from bench.servers import JWT_KEY
from bench.workloads import Workload

USERS = 200
PER_USER = 20


@dataclass(frozen=True, slots=True)
class Asked:
    """One question of one user: for us and the ceiling, and for PostGraphile."""

    user: str
    body: bytes
    peer: bytes


async def questions(connection: asyncpg.Connection, workload: Workload) -> list[Asked]:
    """What is asked, the same for all candidates."""
    users = [str(row["id"]) for row in await connection.fetch("SELECT id FROM nchat_users ORDER BY id LIMIT $1", USERS)]
    if not workload.by_id:
        return [_asked(workload, user, {}) for user in users]
    asked = []
    for user in users:
        for sql in workload.by_id:
            asked += [_asked(workload, user, {"id": str(row["id"])}) for row in await connection.fetch(sql, user, PER_USER)]
    random.Random(7).shuffle(asked)
    return asked


def _asked(workload: Workload, user: str, variables: dict[str, Any]) -> Asked:
    bodies = [{"operationName": workload.name, "query": query, "variables": variables} for query in (workload.query, workload.peer)]
    return Asked(user, *map(orjson.dumps, bodies))


def to_ceiling(asked: Asked) -> bytes:
    return _http(asked.body, f"x-user-id: {asked.user}")


def to_peer(asked: Asked) -> bytes:
    return _http(asked.peer, f"x-user-id: {asked.user}\r\naccept: application/json")


def to_service(asked: Asked) -> bytes:
    claims = {"x-hasura-allowed-roles": ["user"], "x-hasura-default-role": "user", "x-hasura-user-id": asked.user}
    token = jwt.encode({"exp": int(time.time()) // 3600 * 3600 + 7200, "https://hasura.io/jwt/claims": claims}, JWT_KEY, algorithm="HS256")
    return _http(asked.body, f"authorization: Bearer {token}")


def _http(body: bytes, who: str) -> bytes:
    head = f"POST /v1/graphql HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n{who}\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body
