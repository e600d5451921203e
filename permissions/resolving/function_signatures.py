"""A function of the database as it is called: which of its arguments are the caller's, which the row, which the session."""

from collections.abc import Iterator

from permissions.reading.nodes import MetadataError, Position, Problem
from permissions.resolving.graphql_names import is_name
from schema.model import Parameter, PgType, SqlFunction, TableName
from schema.pg_functions import PgArgument, PgFunction


def called(function: PgFunction, row: PgArgument | None, session: PgArgument | None, position: Position, who: str) -> SqlFunction:
    """Raises MetadataError, in the name of `who`, for what can't be called through GraphQL."""
    if function.variadic:
        raise MetadataError(Problem(position, f'{who}function with "VARIADIC" parameters are not supported: {function.name}.'))
    parameters = tuple(_parameters(function, row, session))
    names = [parameter.graphql_name for parameter in parameters if parameter.kind == "given"]
    if bad := [name for name in names if not is_name(name)]:
        raise MetadataError(Problem(position, f"{who}the function arguments {','.join(bad)} are not in compliance with GraphQL spec."))
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise MetadataError(Problem(position, f"{who}{function.name} has two arguments {twice[0]}; rename one of them."))
    returns = _table(function.returns) if function.returns_row else function.returns
    return SqlFunction(function.name, parameters, returns, function.returns_set, function.volatile)


def named_argument(function: PgFunction, name: str) -> PgArgument | None:
    return next((argument for argument in function.arguments if argument.name == name), None)


def _parameters(function: PgFunction, row: PgArgument | None, session: PgArgument | None) -> Iterator[Parameter]:
    """Hasura: an argument without a name is `arg_1` and so on; those that aren't the caller's don't count. No convention renames them."""
    unnamed = 0
    for argument in function.arguments:
        if argument is row:
            yield Parameter(argument.name, argument.value, "row", argument.has_default)
        elif argument is session:
            yield Parameter(argument.name, argument.value, "session", argument.has_default)
        else:
            unnamed += argument.name is None
            name = argument.name or f"arg_{unnamed}"
            yield Parameter(argument.name, argument.value, "given", argument.has_default, name, _scalar(argument))


def _scalar(argument: PgArgument) -> PgType:
    """Hasura: a row is given as text; its type in GraphQL is unlike the table's own."""
    return PgType(f"{argument.value.name}_scalar") if argument.takes_row else argument.value


def _table(row: PgType) -> TableName:
    return TableName(row.schema or "public", row.name)
