"""The ceiling: Starlette and asyncpg answer each workload with one hand-written, prepared SQL statement, bytes out."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench.workloads import WORKLOADS

SQL = {w.name: w for w in WORKLOADS}


class Unreset(asyncpg.Connection):
    def get_reset_query(self) -> str:
        """Nothing of a session is left behind by one statement, so no round trip cleans it."""
        return ""


async def _json_as_bytes(connection: asyncpg.Connection) -> None:
    await connection.set_type_codec("json", schema="pg_catalog", encoder=lambda b: b, decoder=lambda b: b, format="binary")


async def answer(request: Request) -> Response:
    body = orjson.loads(await request.body())
    workload = SQL[body["operationName"]]
    arguments = [UUID(request.headers["x-user-id"])]
    if workload.by_id:
        arguments.append(UUID(body["variables"]["id"]))
    async with request.app.state.pool.acquire() as connection:
        return Response(await connection.fetchval(workload.sql, *arguments), media_type="application/json")


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    async with asyncpg.create_pool(
        os.environ["BENCH_DATABASE_URL"], min_size=10, max_size=10, init=_json_as_bytes, connection_class=Unreset
    ) as pool:
        app.state.pool = pool
        yield


app = Starlette(routes=[Route("/v1/graphql", answer, methods=["POST"])], lifespan=lifespan)
