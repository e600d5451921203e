"""The HTTP requests of a workload: a random one of 200 users each, and, where it asks for one, a call that the user sees."""

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
    """One question of one user."""

    user: str
    body: bytes


async def questions(connection: asyncpg.Connection, workload: Workload) -> list[Asked]:
    """What is asked, the same for both candidates."""
    users = [str(row["id"]) for row in await connection.fetch("SELECT id FROM nchat_users ORDER BY id LIMIT $1", USERS)]
    if not workload.by_id:
        return [Asked(user, _body(workload, {})) for user in users]
    asked = []
    for user in users:
        # Every third question is for a call that the user may not see, drawn from all.
        seen = await connection.fetch("SELECT call_id FROM nchat_call_participants WHERE user_id = $1 ORDER BY id LIMIT $2", user, PER_USER)
        others = await connection.fetch("SELECT id AS call_id FROM nchat_calls ORDER BY md5(id::text || $1) LIMIT $2", user, PER_USER // 2)
        asked += [Asked(user, _body(workload, {"id": str(row["call_id"])})) for row in [*seen, *others]]
    random.Random(7).shuffle(asked)
    return asked


def _body(workload: Workload, variables: dict[str, Any]) -> bytes:
    return orjson.dumps({"operationName": workload.name, "query": workload.query, "variables": variables})


def to_ceiling(asked: Asked) -> bytes:
    return _http(asked.body, f"x-user-id: {asked.user}")


def to_service(asked: Asked) -> bytes:
    claims = {"x-hasura-allowed-roles": ["user"], "x-hasura-default-role": "user", "x-hasura-user-id": asked.user}
    token = jwt.encode({"exp": int(time.time()) // 3600 * 3600 + 7200, "https://hasura.io/jwt/claims": claims}, JWT_KEY, algorithm="HS256")
    return _http(asked.body, f"authorization: Bearer {token}")


def _http(body: bytes, who: str) -> bytes:
    head = f"POST /v1/graphql HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n{who}\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body
