"""Hasura's boolean expressions as a tree: permission rules and GraphQL `where` arguments share it.

Truth values (Hasura): `And(())` is true, `Or(())` is false. Names are database names throughout.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from schema.model import PgType, TableName


@dataclass(frozen=True, slots=True)
class Constant:
    """A JSON value: of a rule's YAML, or a literal of the document."""

    value: Any


@dataclass(frozen=True, slots=True)
class SessionVariable:
    """A session variable by its lower-case name; its text is cast to the column's type (arrays: `{1,2}`)."""

    name: str


@dataclass(frozen=True, slots=True)
class Bound:
    """A value that comes with each request: the key of a binder in the plan."""

    key: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a stream has come: the value of so many that it goes on from, null before the first row."""

    number: int

    @property
    def key(self) -> str:
        """Tells it apart from all that is bound."""
        return f"progress {self.number}"


@dataclass(frozen=True, slots=True)
class WholeSession:
    """All session variables as one JSON object, for functions."""


Operand = Constant | SessionVariable | Bound | Progress | WholeSession


@dataclass(frozen=True, slots=True)
class And:
    terms: tuple["Expression", ...] = ()


@dataclass(frozen=True, slots=True)
class Or:
    terms: tuple["Expression", ...] = ()


@dataclass(frozen=True, slots=True)
class Not:
    term: "Expression"


@dataclass(frozen=True, slots=True)
class Compare:
    """`operator` without alias: `_eq _neq _gt _lt _gte _lte _in _nin _is_null _like …` (`_ne` is read as `_neq`).

    With a `cast` (`_cast`) it is asked of the column as a value of that type.
    """

    column: str
    operator: str
    operand: Operand
    cast: PgType | None = None


@dataclass(frozen=True, slots=True)
class CompareComputed:
    """The same of a computed field that has a value."""

    field: str
    operator: str
    operand: Operand
    cast: PgType | None = None


@dataclass(frozen=True, slots=True)
class Redacted:
    """A comparison with what is null wherever the rule `shown` doesn't hold (Hasura's redaction of an inherited role)."""

    shown: "Expression"
    compare: "Compare | CompareComputed"


@dataclass(frozen=True, slots=True)
class CompareColumns:
    """`_ceq _cneq _cgt _clt _cgte _clte` against a column of the same table, or of the root table (`["$", col]`)."""

    column: str
    operator: str
    other: str
    of_root: bool = False


@dataclass(frozen=True, slots=True)
class BeyondItsRoom:
    """`column` compared with how far the row's own `room` has come, by a JSON object of `known` rooms, and `since` where it holds none."""

    column: str
    operator: str
    room: str
    known: Progress
    since: Progress


@dataclass(frozen=True, slots=True)
class Related:
    """At least one row of a relationship satisfies `where`."""

    relationship: str
    where: "Expression"


@dataclass(frozen=True, slots=True)
class Returned:
    """At least one row that a computed field returns satisfies `where`."""

    field: str
    where: "Expression"


@dataclass(frozen=True, slots=True)
class AggregatePredicate:
    """An aggregate over the rows of a relationship that satisfy `where`, compared: each of `terms` is an operator and its right side.

    `cells` are the columns that `function` takes, each with the rule that shows it; without any, rows are counted.
    """

    relationship: str
    function: str
    cells: tuple[tuple[str, "Expression | None"], ...]
    distinct: bool
    where: "Expression"
    terms: tuple[tuple[str, Operand], ...]


@dataclass(frozen=True, slots=True)
class Exists:
    """At least one row of any table satisfies `where` (`_exists`)."""

    table: TableName
    where: "Expression"


@dataclass(frozen=True, slots=True)
class Rule:
    """A whole permission rule inside another expression, and what a caller asks of the rows that it lets through.

    `$` inside the rule means the table it stands on. Whatever in `asked` could tell of other rows is decided after the rule.
    """

    where: "Expression"
    asked: "Expression" = And()


Expression = (
    And
    | Or
    | Not
    | Compare
    | CompareComputed
    | Redacted
    | CompareColumns
    | BeyondItsRoom
    | Related
    | Returned
    | AggregatePredicate
    | Exists
    | Rule
)

TRUE = And()
FALSE = Or()


def conjunction(terms: Iterable[Expression]) -> Expression:
    """All of them, without needless nesting."""
    kept = tuple(term for term in terms if term != TRUE)
    return kept[0] if len(kept) == 1 else And(kept)


def disjunction(terms: Iterable[Expression]) -> Expression:
    """Any of them, without needless nesting."""
    kept = tuple(term for term in terms if term != FALSE)
    return kept[0] if len(kept) == 1 else Or(kept)


def without(expression: Expression, relationship: str) -> Expression:
    """The expression as if the rows that it is asked of had nothing in a relationship of theirs. What it asks of other rows stays."""
    match expression:
        case And(terms):
            return And(tuple(without(term, relationship) for term in terms))
        case Or(terms):
            return Or(tuple(without(term, relationship) for term in terms))
        case Not(term):
            return Not(without(term, relationship))
        case Rule(where, asked):
            return Rule(without(where, relationship), without(asked, relationship))
        case Related(name, _) if name == relationship:
            return FALSE
        case _:
            return expression
