"""Enum tables: tables whose rows are the values of a GraphQL enum, as Hasura's `RQL/DDL/Schema/Enum.hs` has them."""

import re

import sqlalchemy as sa

from schema.model import EnumValue
from schema.sql_types import pg_type

# Where the rows of such a table stand in its `info`: each a text and maybe its comment.
ENUM_ROWS = "enum_rows"
# What one type may hold: a table that grows is no enum.
MOST_VALUES = 2_000
_VALUE = re.compile(r"(?!__)[_A-Za-z][_0-9A-Za-z]*")
_RESERVED = frozenset({"true", "false", "null"})


def enum_values(table: sa.Table) -> tuple[EnumValue, ...]:
    """The values of a table, with its second column as their description. Raises ValueError, in Hasura's words, where there are none."""
    if faults := list(_faults(table)):
        raise ValueError(faults[0] if len(faults) == 1 else "".join(f"\n • {fault}" for fault in faults))
    return tuple(EnumValue(value, comment) for value, comment in table.info[ENUM_ROWS])


def _faults(table: sa.Table) -> list[str]:
    key = list(table.primary_key.columns)
    rest = [column for column in table.columns if column not in key]
    if not key:
        return ["the table must have a primary key"]
    if len(key) > 1:
        return [f"the table’s primary key must not span multiple columns ({', '.join(sorted(column.name for column in key))})"]
    faults = [] if pg_type(key[0].type).name == "text" else [_mistyped("primary key", key[0])]
    if len(rest) > 1:
        names = ", ".join(sorted(column.name for column in table.columns))
        return [
            *faults,
            f"the table must have exactly one primary key and optionally one comment column, not {len(rest) + 1} columns ({names})",
        ]
    faults += [_mistyped("comment column", column) for column in rest if pg_type(column.type).name != "text"]
    return faults or _misnamed([value for value, _ in table.info.get(ENUM_ROWS, [])])


def _mistyped(what: str, column: sa.Column[object]) -> str:
    return f'the table’s {what} ("{column.name}") must have type "text", not type "{pg_type(column.type).name}"'


def _misnamed(values: list[str]) -> list[str]:
    if not values:
        return ["the table must have at least one row"]
    if len(values) > MOST_VALUES:
        return [f"the table must have no more than {MOST_VALUES} rows"]
    bad = sorted(f'"{value}"' for value in values if not _VALUE.fullmatch(value) or value in _RESERVED)
    match bad:
        case []:
            return []
        case [one]:
            return [f"the value {one} is not a valid GraphQL enum value name"]
        case [one, other]:
            return [f"the values {one} and {other} are not valid GraphQL enum value names"]
        case [*others, last]:
            return [f"the values {', '.join(others)}, and {last} are not valid GraphQL enum value names"]
    return []
