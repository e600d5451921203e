"""A computed field of the metadata, resolved against the functions of the database."""

from permissions.reading.entries import ComputedFieldEntry
from permissions.reading.nodes import MetadataError, Problem
from schema.model import ComputedField, TableName
from schema.pg_functions import PgArgument, PgFunction

_JSON = frozenset({"json", "jsonb"})


def computed_field(entry: ComputedFieldEntry, table: TableName, functions: list[PgFunction]) -> ComputedField:
    """A scalar function of the row, with the session as json if it asks for it. Raises MetadataError when there is none that fits."""
    candidates = [function for function in functions if function.name == entry.function]
    if not candidates:
        raise _problem(entry, f"there is no function {entry.function} in the database.")
    takes_row = [function for function in candidates if (row := _row_argument(entry, function)) and row.type == table]
    if len(takes_row) != 1:
        how_many = "More than one" if takes_row else "No"
        raise _problem(entry, f"{how_many} function {entry.function} takes a row of {table} there; see `table_argument`.")
    _check(entry, takes_row[0])
    return ComputedField(entry.name, entry.function, takes_row[0].returns, entry.table_argument, entry.session_argument, entry.comment)


def _row_argument(entry: ComputedFieldEntry, function: PgFunction) -> PgArgument | None:
    """The argument that takes the row: the named one, otherwise the first."""
    if entry.table_argument is None:
        return function.arguments[0] if function.arguments else None
    return next((argument for argument in function.arguments if argument.name == entry.table_argument), None)


def _check(entry: ComputedFieldEntry, function: PgFunction) -> None:
    if function.returns_set or function.returns_row:
        raise _problem(entry, f"{function.name} returns rows; only functions that return one value are supported.")
    if function.volatile:
        raise _problem(entry, f"{function.name} is VOLATILE; declare it STABLE or IMMUTABLE.")
    rest = [argument for argument in function.arguments if argument is not _row_argument(entry, function)]
    session = [argument for argument in rest if entry.session_argument is not None and argument.name == entry.session_argument]
    if entry.session_argument is not None and not (session and session[0].type.name in _JSON):
        raise _problem(entry, f"{function.name} has no argument {entry.session_argument} of type json or jsonb.")
    if len(rest) > len(session):
        raise _problem(entry, f"{function.name} takes more arguments than the row and the session, which is not supported yet.")


def _problem(entry: ComputedFieldEntry, sentence: str) -> MetadataError:
    return MetadataError(Problem(entry.position, f"Computed field {entry.name}: {sentence}"))
