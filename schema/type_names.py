"""Names of GraphQL types: those of PostgreSQL's types, those that a table brings along, and how a member refers to one by name."""

import re
from collections.abc import Iterator

from schema.model import PgType
from schema.naming import BaseName, Naming
from schema.operators import CASTS

BUILT_IN: dict[str, str] = {"int4": "Int", "float4": "Float", "bool": "Boolean", "text": "String", "varchar": "String"}
_RENAMED = {"int2": "smallint", "int8": "bigint"}
# Also a digit at the beginning, and the `__` that GraphQL keeps for itself.
_NOT_IN_NAMES = re.compile(r"[^_0-9A-Za-z]|^(?=[0-9])|^__")
# What a cursor of a stream is ordered by: one type for all tables of a source.
ORDERING = "cursor_ordering"
# Types that are there whatever the tables are.
GIVEN = frozenset({"query_root", "mutation_root", "subscription_root", "order_by", "ID", *BUILT_IN.values()})

AGGREGATES = ("avg", "max", "min", "stddev", "stddev_pop", "stddev_samp", "sum", "var_pop", "var_samp", "variance")
# The aggregates of related rows that a condition may ask for, with the types as which they are compared.
PREDICATE_FUNCTIONS = {"count": PgType("int4"), "bool_and": PgType("bool"), "bool_or": PgType("bool")}
# Those of them that take columns of their own, which are true or false.
TRUTH_FUNCTIONS = ("bool_and", "bool_or")
# The types that a table brings along, by what follows its name.
TABLE_TYPES = (
    *("", "bool_exp", "order_by", "select_column", "aggregate", "aggregate_fields", "aggregate_order_by"),
    *("insert_input", "obj_rel_insert_input", "arr_rel_insert_input", "on_conflict", "constraint", "update_column"),
    *("set_input", "inc_input", "append_input", "prepend_input", "delete_key_input", "delete_elem_input", "delete_at_path_input"),
    *("pk_columns_input", "updates", "mutation_response", "stream_cursor_input", "stream_cursor_value_input"),
    *(f"{function}_{suffix}" for function in AGGREGATES for suffix in ("fields", "order_by")),
)


def scalar_name(name: str) -> str:
    """The GraphQL name of a PostgreSQL type: `Int` for int4, `uuid` for uuid, an enum type's own name.

    Characters that GraphQL doesn't know become `_`: a scalar only names what PostgreSQL reads as text anyway.
    """
    return BUILT_IN.get(name) or _RENAMED.get(name) or _NOT_IN_NAMES.sub("_", name)


def comparison_name(naming: Naming, type_: PgType) -> str:
    """The input that compares values of a type: `Int_comparison_exp`, `String_array_comparison_exp`."""
    if type_.enum_table is not None:
        return type_.enum_table.comparison
    return naming.shared_type(f"{scalar_name(type_.name)}_{'array_' if type_.is_array else ''}comparison_exp")


def cast_name(naming: Naming, type_: PgType) -> str:
    """The input that compares values of a type as those of another one: `jsonb_cast_exp`."""
    return naming.shared_type(f"{scalar_name(type_.name)}_cast_exp")


def compared_names(naming: Naming, type_: PgType) -> Iterator[str]:
    """All that comparisons of a type bring along."""
    yield comparison_name(naming, type_)
    if (target := CASTS.get(type_)) is not None:
        yield cast_name(naming, type_)
        yield comparison_name(naming, target)


def predicate_names(naming: Naming, base: BaseName) -> set[str]:
    """The types by which `where` asks of a table's rows below another row."""
    functions = {naming.predicate_function(base, function) for function in PREDICATE_FUNCTIONS}
    return {naming.predicate(base), *functions, *(naming.predicate_columns(base, function) for function in TRUTH_FUNCTIONS)}


class TypeReference:
    """A type by name, or a list (`element`), as it is written down: `column | None`, `row.listed`.

    Nothing in it is null unless `| None` says so. Of each there is one.
    """

    __slots__ = ("_listed", "_nullable", "element", "is_nullable", "name")

    def __init__(self, name: str, element: "TypeReference | None" = None, *, is_nullable: bool = False) -> None:
        self.name, self.element, self.is_nullable = name, element, is_nullable
        self._nullable: TypeReference | None = None
        self._listed: TypeReference | None = None

    def __or__(self, _: None) -> "TypeReference":
        if self._nullable is None:
            self._nullable = TypeReference(self.name, self.element, is_nullable=True)
        return self._nullable

    @property
    def listed(self) -> "TypeReference":
        """A non-null list of it."""
        if self._listed is None:
            self._listed = TypeReference(self.name, self)
        return self._listed
