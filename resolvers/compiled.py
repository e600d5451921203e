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
class WriteStatement:
    """`error_path` is where a violation is reported: the rows of an insert, the request for an update.

    `inserts` is how many rows are new. With `keep` its value, the list of written rows, lies among the variables under that name for
    the statements that follow; `needed` is the refusal when there are none.
    """

    plan: Plan
    table: TableName
    error_path: str
    inserts: int = 0
    keep: str | None = None
    needed: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class TableWrite:
    """Statements one after the other. The last one's value is the answer, or there is a second plan for it.

    That is so when it looks beyond the written rows, or in a nested insert, whose rows were kept under the names in `rows`.
    """

    key: str
    statements: tuple[WriteStatement, ...]
    answer: Plan | None = None
    rows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TableWrites:
    """Several writes of one root field, in order: their answers are a list."""

    key: str
    path: str
    writes: tuple[TableWrite, ...]


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


Step = KnownAnswer | TableRead | TableWrite | TableWrites | HandWritten | Introspection


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

    @property
    def may_write(self) -> bool:
        """Also a query may, by a volatile function."""
        return any(isinstance(step, TableWrite | TableWrites) for step in self.steps)


@dataclass(frozen=True, slots=True)
class HandWrittenSubscription:
    """A hand-written subscription; `of_room`: its events are those of a room (`resolvers/feeds`)."""

    field: HandWritten
    of_room: bool = False


Compiled = TableQuery | LiveTables | Steps | HandWrittenSubscription
