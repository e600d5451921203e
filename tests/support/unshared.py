"""A database without shares: everybody has all of it."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any

import orjson

from resolvers.sql.database import Asker, Database, LookDatabase
from resolvers.sql.plan import Plan, listed


class Unshared:
    """`resolvers.sql.database.SharedDatabase` that gives everybody the same database."""

    def __init__(self, database: LookDatabase) -> None:
        self._database = database

    async def answer(self, plan: Plan, arguments: Sequence[str | None], _asker: Asker) -> bytes:
        return await self._database.fetch_json(plan.sql, arguments)

    def request(self, _asker: Asker) -> Database:
        return self._database

    def act(self, _asker: Asker) -> AbstractAsyncContextManager[None]:
        return nullcontext()

    @asynccontextmanager
    async def look(self, _askers: Collection[Asker]) -> AsyncIterator[LookDatabase]:
        yield self._database


class AskedTwice(Unshared):
    """What is read alone is also asked by two at once, who must be told the same."""

    async def answer(self, plan: Plan, arguments: Sequence[str | None], asker: Asker) -> bytes:
        alone = await super().answer(plan, arguments, asker)
        together = plan.together()
        rows = await self._database.fetch_rows(together, [listed([arguments, arguments])])
        assert sorted(number for number, _, _ in rows) == [1, 2]
        for _, body, _ in rows:
            assert body == alone or _unordered(body) == _unordered(alone), f"together: {body!r}\nalone: {alone!r}\n{together}"
        return alone


def _unordered(answer: bytes) -> Any:
    """Rows that nobody sorted come as PostgreSQL finds them."""

    def sort(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: sort(part) for key, part in value.items()}
        return sorted(map(sort, value), key=repr) if isinstance(value, list) else value

    return sort(orjson.loads(answer))
