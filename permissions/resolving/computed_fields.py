"""A computed field of the metadata, resolved against the functions of the database."""

from collections.abc import Collection

from permissions.reading.entries import ComputedFieldEntry
from permissions.reading.nodes import MetadataError, Problem
from permissions.resolving.function_signatures import called, named_argument
from schema.model import ComputedField, TableName
from schema.pg_functions import PgArgument, PgFunction

_JSON = frozenset({"json", "jsonb"})


def computed_field(
    entry: ComputedFieldEntry, table: TableName, functions: list[PgFunction], tracked: Collection[TableName]
) -> ComputedField:
    """A function of the row, of the session if it asks for it, and of what the caller gives.

    Raises MetadataError when there is none that fits, or when its rows are of a table that isn't tracked.
    """
    candidates = [function for function in functions if function.name == entry.function]
    if not candidates:
        raise _problem(entry, f"there is no function {entry.function} in the database.")
    takes_row = [function for function in candidates if (row := _row_argument(entry, function)) and row.type == table]
    if len(takes_row) != 1:
        how_many = "More than one" if takes_row else "No"
        raise _problem(entry, f"{how_many} function {entry.function} takes a row of {table} there; see `table_argument`.")
    return _computed_field(entry, takes_row[0], tracked)


def _computed_field(entry: ComputedFieldEntry, found: PgFunction, tracked: Collection[TableName]) -> ComputedField:
    if found.volatile:
        raise _problem(entry, f"{found.name} is VOLATILE; declare it STABLE or IMMUTABLE.")
    session = None if entry.session_argument is None else named_argument(found, entry.session_argument)
    if entry.session_argument is not None and (session is None or session.type.name not in _JSON):
        raise _problem(entry, f"{found.name} has no argument {entry.session_argument} of type json or jsonb.")
    function = called(found, _row_argument(entry, found), session, entry.position, f"Computed field {entry.name}: ")
    if found.returns_row and function.table not in tracked:
        raise _problem(entry, f"{found.name} returns rows of {function.table}, which is not tracked; track it.")
    if found.returns_set and not found.returns_row:
        raise _problem(entry, f"{found.name} returns rows; only functions that return one value, or rows of a table, are supported.")
    return ComputedField(entry.name, function, _comment(entry, found))


def _comment(entry: ComputedFieldEntry, function: PgFunction) -> str | None:
    """Hasura: an empty comment means none, no comment the function's own, or what it is."""
    if entry.comment is not None:
        return entry.comment or None
    return function.comment or f'A computed field, executes function "{function.name}"'


def _row_argument(entry: ComputedFieldEntry, function: PgFunction) -> PgArgument | None:
    """The argument that takes the row: the named one, otherwise the first."""
    if entry.table_argument is None:
        return function.arguments[0] if function.arguments else None
    return named_argument(function, entry.table_argument)


def _problem(entry: ComputedFieldEntry, sentence: str) -> MetadataError:
    return MetadataError(Problem(entry.position, f"Computed field {entry.name}: {sentence}"))
