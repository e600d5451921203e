"""GraphQL enums of enum tables, and PostgreSQL's own enums, which are scalars."""

from collections.abc import Iterator

from graphql import GraphQLScalarType

from schema.model import Catalog, PgType, TrackedTable
from schema.table_types.definitions import Definitions
from schema.table_types.scalars import BUILT_IN, enum_scalar
from schema.type_names import scalar_name


def define_enum(definitions: Definitions, table: TrackedTable) -> None:
    """The enum of a table that is one; columns of any table may have it."""
    if table.enum is None:
        return
    name = table.enum.type.name
    comments = {value.name: value.comment for value in table.enum.values}
    definitions.enum(name, table.enum.type.values, description=table.comment, describe=comments.get)


def enum_scalars(catalog: Catalog) -> dict[str, GraphQLScalarType]:
    """PostgreSQL's enums by the name of their scalar; two enums of one name have the values of both."""
    labels: dict[str, dict[str, None]] = {}
    for type_ in _types(catalog):
        if type_.is_enum and type_.enum_table is None:
            labels.setdefault(scalar_name(type_.name), {}).update(dict.fromkeys(type_.labels))
    return {name: enum_scalar(name, tuple(values)) for name, values in labels.items() if name not in BUILT_IN}


def _types(catalog: Catalog) -> Iterator[PgType]:
    """What columns hold, functions take, and computed fields are."""
    functions = [tracked.function for tracked in catalog.functions.values()]
    for table in catalog:
        yield from (column.type for column in table.columns.values())
        functions += [field.function for field in table.computed_fields.values()]
    for function in functions:
        if isinstance(function.returns, PgType):
            yield function.returns
        yield from (parameter.scalar or parameter.type for parameter in function.given)
