"""`args`: what is given to a function, as an argument and its input type."""

from schema.model import ComputedField, SqlFunction, TrackedTable
from schema.table_types.definitions import Definitions, Element, argument, key
from schema.table_types.meaning import Argument, GivenTo


def computed_field_arguments(definitions: Definitions, table: TrackedTable, field: ComputedField) -> list[Element]:
    """`args` of a computed field, where its function takes more than the row."""
    label = f'input parameters for computed field "{field.name}" defined on table "{table.name}"'
    return function_arguments(definitions, field.function, field.args_type(definitions.naming, table.base), label)


def function_arguments(definitions: Definitions, function: SqlFunction, type_name: str, label: str) -> list[Element]:
    """Hasura: nothing inside is required for GraphQL, since null may be given; what is missing is found by the walk."""
    if not function.given:
        return []
    if type_name not in definitions:
        keys = [
            key(parameter.graphql_name, definitions.value(parameter.scalar or parameter.type) | None, GivenTo(place))
            for place, parameter in enumerate(function.given)
        ]
        definitions.input(type_name, keys)
    type_ = definitions[type_name]
    return [argument("args", type_ if function.needs_given else type_ | None, Argument("args"), description=label)]
