"""Actions and hand-written subscriptions, run by the role's Strawberry schema."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

import orjson
from graphql import GraphQLError

from domain.errors import ActionError
from permissions.errors import GraphQLRefusal
from permissions.session import Session
from resolvers.compiled import HandWritten
from resolvers.documents.exact_json import plain
from resolvers.hand_written.context import Context, Read
from resolvers.roles.role_views import RoleView
from resolvers.run.database_refusals import refusal
from resolvers.run.unexpected_errors import unexpected
from resolvers.sql.database import Database, DatabaseError


class StrawberryRunner:
    """Runs hand-written root fields for one request, what has one answer within a `turn`."""

    def __init__(
        self,
        view: RoleView,
        database: Database,
        session: Session,
        variables: Mapping[str, Any],
        world: object | None,
        read: Read,
        turn: Callable[[], AbstractAsyncContextManager[object]],
    ) -> None:
        self._view, self._database, self._session, self._variables = view, database, session, variables
        self._world, self._read, self._turn = world, read, turn

    async def run(self, fields: HandWritten) -> dict[str, bytes]:
        """The JSON of each field by key; raises the first error as GraphQLRefusal at its root field."""
        async with self._turn():
            result = await self._view.schema.execute(None, self._used(fields), self._context(fields))
        data = self._data(fields, result)
        return {key: orjson.dumps(data[key]) for key in fields.keys}

    async def events(self, field: HandWritten) -> AsyncGenerator[bytes, None]:
        """The payloads of a subscription; an error ends it and is raised."""
        stream: Any = await self._view.schema.subscribe(None, self._used(field), self._context(field))
        if not hasattr(stream, "__aiter__"):
            self._data(field, stream)
        try:
            async for result in stream:
                yield orjson.dumps({"data": self._data(field, result)})
        finally:
            if hasattr(stream, "aclose"):
                await stream.aclose()

    def _context(self, fields: HandWritten) -> Context:
        return Context(self._session, self._world, self._database, fields.document, self._variables, fields.plans, self._read)

    def _used(self, fields: HandWritten) -> dict[str, Any]:
        (operation,) = fields.document.definitions
        declared = {definition.variable.name.value for definition in getattr(operation, "variable_definitions", ())}
        return {name: plain(value) for name, value in self._variables.items() if name in declared}

    def _data(self, fields: HandWritten, result: Any) -> dict[str, Any]:
        if result.errors:
            raise _refusal(fields, result.errors[0])
        data: dict[str, Any] = result.data
        return data


def _refusal(fields: HandWritten, error: GraphQLError) -> GraphQLRefusal:
    """The one error of the answer. What graphql-core itself refuses (a scalar that can't be read) is validation-failed."""
    path = fields.paths[str(error.path[0])] if error.path else next(iter(fields.paths.values()))
    cause = error.original_error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    match cause:
        case ActionError():
            refused = GraphQLRefusal(cause.code, cause.sentence, path, **cause.extra)
            refused.__cause__ = cause
            return refused
        case GraphQLRefusal():
            refused = GraphQLRefusal(cause.code, cause.message, path, **cause.extra)
            refused.__cause__ = cause.__cause__
            return refused
        case DatabaseError():
            return refusal(cause, path) or unexpected(cause, path)
        case None | GraphQLError():
            return GraphQLRefusal("validation-failed", error.message, path)
    return unexpected(cause, path)
