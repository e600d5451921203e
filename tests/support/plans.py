"""The statement that a query of tables is compiled to."""

from typing import Any

from permissions.session import Session
from resolvers.compiled import TableQuery
from resolvers.documents.request import Request
from resolvers.engine import Engine


async def statement_of(engine: Engine, request: Request, session: Session) -> tuple[str, list[Any]]:
    """SQL and arguments; raises GraphQLRefusal when the query is not valid."""
    view = engine._views.of(session)
    compiled = await engine._planner.plan(view, await engine._planner.document(view, request), request)
    assert isinstance(compiled, TableQuery)
    return compiled.plan.sql, compiled.plan.bind(session, request.variables)
