"""What an operation is compiled to: everything that can be known before the values and the session are."""

from collections.abc import Mapping
from dataclasses import dataclass

from graphql import DocumentNode, FieldNode, VariableDefinitionNode

from resolvers.sql.live_plan import LivePlan
from resolvers.sql.plan import Plan, RowPlan
from schema.model import TableName


@dataclass(frozen=True, slots=True)
class KnownAnswer:
    """A root field whose answer is known: `__typename`."""

    key: str
    json: bytes


@dataclass(frozen=True, slots=True)
class TableRead:
    """A root field over tables beside hand-written ones."""

    key: str
    path: str
    plan: Plan


@dataclass(frozen=True, slots=True)
class TableWrite:
    """`error_path` is where a violation is reported: the rows of an insert, the request for an update.

    `inserts` is how many rows are new.
    """

    key: str
    plan: Plan
    table: TableName
    error_path: str
    # The second statement, when the answer looks beyond the written rows.
    answer: Plan | None = None
    inserts: int = 0


@dataclass(frozen=True, slots=True)
class HandWritten:
    """Root fields that Strawberry runs, in one document of their own; `paths` are their error paths by key."""

    paths: Mapping[str, str]
    document: DocumentNode
    plans: Mapping[tuple[str, ...], RowPlan]

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(self.paths)


@dataclass(frozen=True, slots=True)
class Introspection:
    """`__schema` and `__type`, and the variables they use. `constant` is their text when only the role's schema decides: no variables."""

    nodes: tuple[FieldNode, ...]
    variables: tuple[VariableDefinitionNode, ...]
    constant: str | None


Step = KnownAnswer | TableRead | TableWrite | HandWritten | Introspection


@dataclass(frozen=True, slots=True)
class TableQuery:
    """A query over tables only: one statement gives the whole response."""

    plan: Plan


@dataclass(frozen=True, slots=True)
class LiveTables:
    """A subscription over a table: the statement gives each payload."""

    plan: LivePlan


@dataclass(frozen=True, slots=True)
class Steps:
    """Root fields one after the other; `keys` is the order of the answer."""

    steps: tuple[Step, ...]
    keys: tuple[str, ...]

    @property
    def one_transaction(self) -> bool:
        """Hasura: table writes of one request are all or nothing. An action between them has effects that can't be undone."""
        return not any(isinstance(step, HandWritten) for step in self.steps)


@dataclass(frozen=True, slots=True)
class HandWrittenSubscription:
    """A hand-written subscription; `of_room`: its events are those of a room (`resolvers/feeds`)."""

    field: HandWritten
    of_room: bool = False


Compiled = TableQuery | LiveTables | Steps | HandWrittenSubscription
