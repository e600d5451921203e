"""The foreign keys of a table as pairs of columns."""

import sqlalchemy as sa

from schema.model import TableName

Pairs = tuple[tuple[str, str], ...]


def foreign_keys(table: sa.Table) -> list[tuple[sa.ForeignKeyConstraint, TableName, Pairs]]:
    """The table's foreign keys with their targets and column pairs (own, target's)."""
    keys = sorted(table.foreign_key_constraints, key=lambda key: str(key.name))
    return [(key, _target(key), tuple((element.parent.name, _path(element)[-1]) for element in key.elements)) for key in keys]


def _path(element: sa.ForeignKey) -> list[str]:
    """`[schema,] table, column` as written: the target needs not be in the same MetaData."""
    return element.target_fullname.split(".")


def _target(key: sa.ForeignKeyConstraint) -> TableName:
    *schema, name, _ = _path(key.elements[0])
    return TableName(schema[0] if schema else "public", name)
