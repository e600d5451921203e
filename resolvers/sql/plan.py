"""A compiled statement: one SQL text that returns one JSON value, and how each of its parameters is filled."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from permissions.session import Session
from resolvers.ir import Binder
from schema.model import TableName


@dataclass(frozen=True, slots=True)
class Plan:
    """`tables` are those the statement reads, for live queries; `sql` has parameters `$1 … $n`."""

    sql: str
    binders: tuple[Binder, ...]
    tables: frozenset[TableName]

    def bind(self, session: Session, variables: Mapping[str, Any]) -> list[str | None]:
        """The statement's arguments for one request; raises GraphQLRefusal for a missing session variable."""
        return [binder(session, variables) for binder in self.binders]


@dataclass(frozen=True, slots=True)
class RowPlan:
    """The plan behind a payload field of rows, and the payload's attributes that hold the keys.

    With `in_list` it answers with an object: by key the text of each payload's row, as JSON.
    """

    plan: Plan
    key_attributes: tuple[str, ...]
    many: bool
    in_list: bool = False
