"""A PostgreSQL function as far as a computed field needs to know it."""

from dataclasses import dataclass

from schema.model import PgType, TableName


@dataclass(frozen=True, slots=True)
class PgArgument:
    """An input argument. `type` is the name in `pg_type`: for an argument that takes a row, the table's."""

    name: str | None
    type: TableName


@dataclass(frozen=True, slots=True)
class PgFunction:
    name: TableName
    arguments: tuple[PgArgument, ...]
    returns: PgType
    returns_set: bool = False
    returns_row: bool = False
    volatile: bool = False
