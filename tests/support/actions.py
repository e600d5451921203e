"""The engine with the product's tables, rules and actions over a setup of the domain's tests."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson

import resolvers.actions
from app.database.pool import PoolDatabase, open_pool
from permissions.session import Session
from resolvers.documents.request import Request
from resolvers.engine import Engine
from resolvers.hand_written.action_fields import scan
from resolvers.sql.database import DatabaseTransaction, LookDatabase
from tests.support.domain_setup import Setup, product_rules
from tests.support.refusals import error_in
from tests.support.unshared import Unshared


@dataclass(slots=True)
class Api:
    """GraphQL as a client sees it, on a setup whose other parts the test can look at."""

    engine: Engine
    on: Setup

    async def raw(self, who: Session, query: str, variables: Mapping[str, Any] | None = None) -> bytes:
        """The body of the response."""
        return (await self.engine.execute(Request(query, variables or {}), who, self.on.world)).body

    async def data(self, who: Session, query: str, variables: Mapping[str, Any] | None = None) -> Any:
        """The data of a response without errors."""
        answer = orjson.loads(await self.raw(who, query, variables))
        assert "errors" not in answer, f"{query}\nthe answer: {answer}"
        return answer["data"]

    async def refusal(self, who: Session, query: str, variables: Mapping[str, Any] | None = None) -> tuple[str, str, str]:
        """Code, path and message of a response that is nothing but one error."""
        error = error_in(orjson.loads(await self.raw(who, query, variables)), query)
        return error["extensions"]["code"], error["extensions"]["path"], error["message"]


class SwitchedDatabase:
    """`resolvers.sql.database.LookDatabase` that stands before the database of the test that runs: an engine takes seconds to build."""

    target: LookDatabase

    async def fetch_json(self, sql: str, arguments: Sequence[str | None]) -> bytes:
        return await self.target.fetch_json(sql, arguments)

    async def fetch_rows(self, sql: str, arguments: Sequence[str | None]) -> Sequence[Sequence[Any]]:
        return await self.target.fetch_rows(sql, arguments)

    def transaction(self) -> AbstractAsyncContextManager[DatabaseTransaction]:
        return self.target.transaction()


DATABASE = SwitchedDatabase()
ENGINES: list[Engine] = []


@asynccontextmanager
async def api(on: Setup) -> AsyncIterator[Api]:
    """The engine on the setup's database."""
    rules = await product_rules(on.url)
    async with open_pool(on.url, max_size=4) as pool:
        DATABASE.target = PoolDatabase(pool, on.publisher)
        if not ENGINES:
            ENGINES.append(Engine.build(rules.catalog, rules.roles, Unshared(DATABASE), scan(resolvers.actions)))
        yield Api(ENGINES[0], on)
