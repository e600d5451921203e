"""A PostgreSQL function as far as computed fields and root fields need to know it."""

from dataclasses import dataclass

from schema.model import PgType, TableName


@dataclass(frozen=True, slots=True)
class PgArgument:
    """An input argument. `type` is the name in `pg_type`: for an argument that takes a row, the table's; `value` is what it is cast to."""

    name: str | None
    type: TableName
    value: PgType
    takes_row: bool = False
    has_default: bool = False


@dataclass(frozen=True, slots=True)
class PgFunction:
    name: TableName
    arguments: tuple[PgArgument, ...]
    returns: PgType
    returns_set: bool = False
    returns_row: bool = False
    volatile: bool = False
    variadic: bool = False
    comment: str | None = None
