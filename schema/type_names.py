"""Names of GraphQL types: those of PostgreSQL's types, and those that a table claims."""

import re

BUILT_IN: dict[str, str] = {"int4": "Int", "float4": "Float", "bool": "Boolean", "text": "String", "varchar": "String"}
_RENAMED = {"int2": "smallint", "int8": "bigint"}
# Also a digit at the beginning, and the `__` that GraphQL keeps for itself.
_NOT_IN_NAMES = re.compile(r"[^_0-9A-Za-z]|^(?=[0-9])|^__")
# Types that are there whatever the tables are.
GIVEN = frozenset({"query_root", "mutation_root", "subscription_root", "order_by", "ID", "cursor_ordering", *BUILT_IN.values()})

AGGREGATES = ("avg", "max", "min", "stddev", "stddev_pop", "stddev_samp", "sum", "var_pop", "var_samp", "variance")
_SUFFIXES = (
    *("", "_bool_exp", "_order_by", "_select_column", "_aggregate", "_aggregate_fields", "_aggregate_order_by"),
    *("_insert_input", "_set_input", "_pk_columns_input", "_mutation_response"),
    *("_stream_cursor_input", "_stream_cursor_value_input"),
    *(f"_{function}{suffix}" for function in AGGREGATES for suffix in ("_fields", "_order_by")),
)


def scalar_name(name: str) -> str:
    """The GraphQL name of a PostgreSQL type: `Int` for int4, `uuid` for uuid, an enum type's own name.

    Characters that GraphQL doesn't know become `_`: a scalar only names what PostgreSQL reads as text anyway.
    """
    return BUILT_IN.get(name) or _RENAMED.get(name) or _NOT_IN_NAMES.sub("_", name)


def table_type_names(base: str) -> frozenset[str]:
    """The types that a table of this GraphQL name brings along."""
    return frozenset(base + suffix for suffix in _SUFFIXES)
