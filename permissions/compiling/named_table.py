"""A table under a name of ours, in a FROM."""

from weakref import WeakKeyDictionary

import sqlalchemy as sa

from permissions.compiling.filled_text import NamedRows
from schema.sql_types import DIALECT

_Types = dict[str, sa.types.TypeEngine[object]]
_TYPES: WeakKeyDictionary[sa.Table, _Types] = WeakKeyDictionary()


class NamedTable(NamedRows):
    """The rows of a table."""

    inherit_cache = False

    def __init__(self, table: sa.Table, name: str) -> None:
        super().__init__(name, [DIALECT.identifier_preparer.format_table(table)], types_of(table))


def types_of(table: sa.Table) -> _Types:
    """Of its columns, by name; made once."""
    known = _TYPES.get(table)
    if known is None:
        known = _TYPES[table] = {column.name: column.type for column in table.columns}
    return known
