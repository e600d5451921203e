"""Tracked functions of the metadata, resolved against the functions of the database and the tracked tables."""

from collections.abc import Collection, Iterable
from typing import Literal

from permissions.reading.entries import FunctionEntry
from permissions.reading.nodes import MetadataError, Problem
from permissions.resolving.function_signatures import called, named_argument
from permissions.resolving.graphql_names import ClaimedNames, is_name
from schema.model import TableName, TrackedFunction
from schema.naming import BaseName, Naming
from schema.pg_functions import PgArgument, PgFunction


def track_functions(
    entries: Iterable[FunctionEntry],
    functions: Iterable[PgFunction],
    tables: Collection[TableName],
    claims: ClaimedNames,
    problems: list[Problem],
) -> dict[TableName, TrackedFunction]:
    """Those that can be called; the others are left out and noted."""
    known = list(functions)
    tracked: dict[TableName, TrackedFunction] = {}
    for entry in entries:
        try:
            function = _tracked(entry, known, tables, claims.naming)
            claims.claim_function(entry, function)
            tracked[entry.name] = function
        except MetadataError as error:
            problems.extend(error.problems)
    return tracked


def _tracked(entry: FunctionEntry, functions: list[PgFunction], tables: Collection[TableName], naming: Naming) -> TrackedFunction:
    found = _found(entry, functions)
    exposed_as = _exposed_as(entry, found)
    who = f'the function "{entry.name}" cannot be tracked because '
    function = called(found, None, _session_argument(entry, found), entry.position, who)
    if not found.returns_row:
        raise _untracked(entry, 'the function does not return a "COMPOSITE" type')
    if function.table not in tables:
        raise _untracked(entry, f"the function does not return a table that is tracked: {function.table}")
    base = naming.base(entry.name.schema, entry.name.name, entry.custom_name)
    root_field = naming.root_field(base) if entry.root_field is None else naming.own_root_field(entry.root_field)
    aggregate_field = None if exposed_as == "mutation" else _aggregate_field(entry, base, naming)
    if bad := [name for name in (str(base), root_field, aggregate_field) if name is not None and not is_name(name)]:
        raise _untracked(entry, f"function name is not a legal GraphQL identifier: {bad[0]}")
    volatile = "VOLATILE " if exposed_as == "mutation" else ""
    described = entry.comment or found.comment or f'execute {volatile}function "{entry.name}" which returns "{function.table}"'
    return TrackedFunction(function, exposed_as, root_field, aggregate_field, naming.function_args(base), described)


def _aggregate_field(entry: FunctionEntry, base: BaseName, naming: Naming) -> str:
    if entry.aggregate_field is not None:
        return naming.own_root_field(entry.aggregate_field)
    return naming.function_aggregate(base)


def _found(entry: FunctionEntry, functions: list[PgFunction]) -> PgFunction:
    candidates = [function for function in functions if function.name == entry.name]
    if not candidates:
        raise MetadataError(Problem(entry.position, f'no such function exists in the database: "{entry.name}".'))
    if len(candidates) > 1:
        sentence = f'function "{entry.name}" is overloaded. Overloaded functions are not supported.'
        raise MetadataError(Problem(entry.position, sentence))
    return candidates[0]


def _exposed_as(entry: FunctionEntry, function: PgFunction) -> Literal["query", "mutation"]:
    """Hasura: where it isn't said, what changes data is a mutation."""
    if entry.exposed_as == "mutation" and not function.volatile:
        raise _untracked(
            entry,
            "the function was requested to be exposed as a mutation, but is not marked VOLATILE. "
            "Maybe the function was given the wrong volatility when it was defined?",
        )
    return entry.exposed_as or ("mutation" if function.volatile else "query")


def _session_argument(entry: FunctionEntry, function: PgFunction) -> PgArgument | None:
    if entry.session_argument is None:
        return None
    argument = named_argument(function, entry.session_argument)
    if argument is None:
        raise _untracked(entry, f'given session argument "{entry.session_argument}" not the input argument of the function')
    if argument.value.name != "json" or argument.value.is_array:
        raise _untracked(entry, f'given session argument "{entry.session_argument}" is not of type json')
    return argument


def _untracked(entry: FunctionEntry, reason: str) -> MetadataError:
    return MetadataError(Problem(entry.position, f'the function "{entry.name}" cannot be tracked because {reason}'))
