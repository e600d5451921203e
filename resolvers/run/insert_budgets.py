"""How many rows a session may insert into a table now: asked of whoever knows, before anything runs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from permissions.errors import GraphQLRefusal
from permissions.session import Session
from resolvers.compiled import Step, TableWrite, WriteStatement
from schema.model import TableName


class InsertBudget(Protocol):
    async def __call__(self, session: Session, rows: int) -> None:
        """Takes so many rows off the session's budget; raises GraphQLRefusal, taking none, where they are not left."""
        ...


InsertBudgets = Mapping[TableName, InsertBudget]


async def spend(budgets: InsertBudgets, session: Session, steps: Sequence[Step]) -> None:
    """All that the steps insert, outside any transaction: the counter may stand on another machine. A refusal names the field."""
    for statement in _inserts(steps) if budgets else ():
        if budget := budgets.get(statement.table):
            try:
                await budget(session, statement.inserts)
            except GraphQLRefusal as refused:
                raise GraphQLRefusal(refused.code, refused.message, statement.error_path, **refused.extra) from refused


def _inserts(steps: Sequence[Step]) -> Iterator[WriteStatement]:
    for step in steps:
        if isinstance(step, TableWrite):
            yield from (statement for statement in step.statements if statement.inserts)
