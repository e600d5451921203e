"""PostgreSQL's errors as Hasura's codes and words."""

import re

from permissions.errors import GraphQLRefusal
from resolvers.sql.database import DatabaseError
from resolvers.sql.size.answer_size import TOO_LARGE

_STATES = {
    "23505": ("constraint-violation", "Uniqueness violation. "),
    "23503": ("constraint-violation", "Foreign key violation. "),
    "23502": ("constraint-violation", "Not-NULL violation. "),
    "23001": ("constraint-violation", "Can not delete or update due to data being referred. "),
    "23P01": ("constraint-violation", "Exclusion violation. "),
    # A pattern that ends in its escape.
    "22025": ("bad-request", ""),
    "23514": ("permission-error", "Check constraint violation. "),
    "42P01": ("constraint-error", ""),
    "42703": ("constraint-error", ""),
    # A constraint that is gone, too (Hasura's `dmlTxErrorHandler` expects this one and 42P10 of class 42).
    "42704": ("constraint-error", ""),
    "53300": ("postgres-max-connections-error", ""),
    # Types without this operator or aggregate, and more than PostgreSQL can hold in one statement.
    "42883": ("not-supported", ""),
    "0A000": ("not-supported", ""),
    # An `on_conflict` on a constraint that is checked late.
    "55000": ("not-supported", ""),
    "54000": ("validation-failed", "the request is too large: "),
    "54001": ("validation-failed", "the request is too large: "),
    "54011": ("validation-failed", "the request is too large: "),
    "54023": ("validation-failed", "the request is too large: "),
    "57014": ("time-limit-exceeded", ""),
}

# Hasura's for all that `dmlTxErrorHandler` of its `Postgres/Execute/Types.hs` does not expect.
_UNEXPECTED = ("unexpected", "database query error")

# In words that are not PostgreSQL's. Most are what is wrong with the server and not with the request: PostgreSQL's name its files.
_WITHOUT_ITS_WORDS = {
    # An `on_conflict` that meets one row twice.
    "21000": _UNEXPECTED,
    # Another transaction was in the way; the same request may succeed.
    "40001": _UNEXPECTED,
    "40P01": _UNEXPECTED,
    "42P10": ("constraint-error", "there is no unique or exclusion constraint on target column(s)"),
    "53100": ("storage-full", "the database has no space left"),
    "53200": ("postgres-error", "the database is out of memory"),
    "53400": ("postgres-error", "the database is at one of its limits"),
    "25006": ("postgres-error", "the database takes no writes at the moment"),
    "58030": ("postgres-error", "the database can't read or write its files"),
}

_OWN_SYNTAX = re.compile(r"of jsonpath input|in ts(query|vector)|^(ltree|lquery) syntax error|^(operand |modifiers )?syntax error$")


def refusal(error: DatabaseError, path: str = "$") -> GraphQLRefusal | None:
    """The answer to a statement that PostgreSQL refused, with the error as its cause; None for what is no fault of the request."""
    refused = _refusal(error, path)
    if refused is not None:
        refused.__cause__ = error
    return refused


def with_internal(refused: GraphQLRefusal) -> GraphQLRefusal:
    """The refusal with what PostgreSQL said, in Hasura's form, but for the statement's values: for the eyes of an admin."""
    error = refused.__cause__
    if isinstance(error, DatabaseError) and refused.code != "answer-too-large":
        told: dict[str, str | None] = {"exec_status": "FatalError", "status_code": error.sqlstate, "message": error.message}
        told |= {"description": error.detail, "hint": error.hint}
        refused.extra["internal"] = {"statement": error.statement, "prepared": True, "error": told}
    return refused


def _refusal(error: DatabaseError, path: str) -> GraphQLRefusal | None:
    if error.sqlstate == "22P02" and TOO_LARGE in error.message:
        return answer_too_large(path)
    if error.sqlstate in _STATES:
        code, prefix = _STATES[error.sqlstate]
        return GraphQLRefusal(code, prefix + error.message, path)
    if error.sqlstate in _WITHOUT_ITS_WORDS:
        return GraphQLRefusal(*_WITHOUT_ITS_WORDS[error.sqlstate], path)
    if error.sqlstate.startswith("23"):
        # Raised by a trigger in words of its own, with the class alone or a state that nobody knows (Hasura: `mkTxErrorHandler`).
        return GraphQLRefusal("constraint-violation", error.message, path)
    if error.sqlstate.startswith("22") or _is_bad_text(error):
        return GraphQLRefusal("data-exception", error.message, path)
    if error.sqlstate.startswith(("08", "57P", "3D000")):
        return GraphQLRefusal("postgres-error", "connection error")
    return None


def _is_bad_text(error: DatabaseError) -> bool:
    """Values that are little languages of their own; any other syntax error would be ours."""
    return error.sqlstate == "42601" and _OWN_SYNTAX.search(error.message) is not None


def answer_too_large(path: str = "$") -> GraphQLRefusal:
    """More than the service gives at once; what a mutation would have written is not."""
    return GraphQLRefusal("answer-too-large", "the answer is too large; ask for fewer rows at once, fewer fields or fewer levels", path)


def check_violation(path: str) -> GraphQLRefusal:
    """The permission's own check; Hasura never says which rule failed."""
    return GraphQLRefusal("permission-error", "check constraint of an insert/update permission has failed", path)
