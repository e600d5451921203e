"""Values as answers tell them: long numbers as text where the service is set so, values of enum tables by their names."""

from typing import Final

import sqlalchemy as sa

from resolvers.sql.json_values import Json
from schema.model import PgType

# As in Hasura's `isBigNum` (`Backends/Postgres/SQL/Types.hs`); lists of them stay numbers there too.
_LONG: Final = frozenset({"int8", "numeric", "float8", "money"})


def told(value: Json, type_: PgType | None, *, as_text: bool) -> Json:
    """A value of a type, for the answer. Of an enum table it is the value's name, which the naming convention may write otherwise."""
    if type_ is not None and type_.enum_table is not None and any(name != stored for name, stored in type_.enum_table.values):
        return sa.func.upper(value)
    if as_text and type_ is not None and type_.name in _LONG and not type_.is_array:
        return sa.cast(value, sa.Text())
    return value
