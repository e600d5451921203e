"""Actions and hand-written subscriptions, run by the role's Strawberry schema."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from inspect import isawaitable
from typing import Any

import orjson
from graphql import ExecutionResult, GraphQLError, create_source_event_stream
from graphql.execution import execute_subscription_event

from domain.errors import ActionError
from domain.hub import AskAnew
from permissions.errors import GraphQLRefusal
from permissions.session import Session
from resolvers.compiled import HandWritten
from resolvers.documents.exact_json import plain
from resolvers.hand_written.context import Context, Read
from resolvers.hand_written.room_feed import Encode, Place
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
        principal: str = "",
    ) -> None:
        self._view, self._database, self._session, self._variables = view, database, session, variables
        self._world, self._read, self._turn, self._principal = world, read, turn, principal

    async def run(self, fields: HandWritten) -> dict[str, bytes]:
        """The JSON of each field by key; raises the first error as GraphQLRefusal at its root field."""
        async with self._turn():
            result = await self._view.schema.execute(None, self._used(fields), self._context(fields))
        data = self._data(fields, result)
        return {key: orjson.dumps(data[key]) for key in fields.keys}

    async def events(self, field: HandWritten) -> AsyncGenerator[bytes, None]:
        """The payloads of a subscription; an error ends it and is raised, AskAnew as it is."""
        stream: Any = await self._view.schema.subscribe(None, self._used(field), self._context(field))
        if not hasattr(stream, "__aiter__"):
            self._data(field, stream)
        try:
            async for result in stream:
                yield orjson.dumps({"data": self._data(field, result)})
        finally:
            if hasattr(stream, "aclose"):
                await stream.aclose()

    async def place(self, field: HandWritten) -> Place:
        """Where a subscription to a room leads; raises what refuses it."""
        executor = self._executor(field)
        source = create_source_event_stream(executor)
        found: Any = await source if isawaitable(source) else source
        # It refers to itself: each of thousands of followers would hold four kilobytes until the garbage collector comes by.
        vars(executor).clear()
        if isinstance(found, ExecutionResult):
            self._data(field, found)
        place: Place = found
        return place

    def encoder(self, field: HandWritten) -> Encode:
        """Writes events as the subscription asks for them."""
        executor = self._executor(field)

        async def encode(value: object) -> bytes:
            result = execute_subscription_event(executor.build_per_event_executor(value))
            return orjson.dumps({"data": self._data(field, await result if isawaitable(result) else result)})

        return encode

    def _executor(self, field: HandWritten) -> Any:
        """graphql-core's own steps of a subscription, one by one: what an event becomes is asked once for all who ask the same."""
        schema = self._view.schema
        built: Any = schema.execution_context_class.build(schema._schema, field.document, None, self._context(field), self._used(field))
        if isinstance(built, list):
            self._data(field, ExecutionResult(None, built))
        return built

    def refused(self, field: HandWritten, error: Exception) -> GraphQLRefusal:
        """An error of a subscription, as its client hears it."""
        if isinstance(error, GraphQLRefusal):
            return error
        return _refused(error, next(iter(field.paths.values())))

    def _context(self, fields: HandWritten) -> Context:
        return Context(
            self._session, self._world, self._database, fields.document, self._variables, fields.plans, self._read, self._principal
        )

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
    if isinstance(cause, AskAnew):
        # No refusal: what is followed is followed anew.
        raise cause
    if cause is None or isinstance(cause, GraphQLError):
        return GraphQLRefusal("validation-failed", error.message, path)
    return _refused(cause, path)


def _refused(cause: Exception, path: str) -> GraphQLRefusal:
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
    return unexpected(cause, path)
