"""PostgreSQL's errors as Hasura's codes and words."""

from permissions.errors import GraphQLRefusal
from resolvers.plan import DatabaseError

_CONSTRAINTS = {
    "23505": ("constraint-violation", "Uniqueness violation. "),
    "23503": ("constraint-violation", "Foreign key violation. "),
    "23502": ("constraint-violation", "Not-NULL violation. "),
    "23001": ("constraint-violation", "Can not delete or update due to data being referred. "),
    "23P01": ("constraint-violation", "Exclusion violation. "),
    "23514": ("permission-error", "Check constraint violation. "),
    "42P01": ("constraint-error", ""),
    "42703": ("constraint-error", ""),
    "53300": ("postgres-max-connections-error", ""),
}


def refusal(error: DatabaseError, path: str = "$") -> GraphQLRefusal | None:
    """The answer to a statement that PostgreSQL refused; None for what is no fault of the request."""
    if error.sqlstate in _CONSTRAINTS:
        code, prefix = _CONSTRAINTS[error.sqlstate]
        return GraphQLRefusal(code, prefix + error.message, path)
    if error.sqlstate.startswith("22"):
        return GraphQLRefusal("data-exception", error.message, path)
    if error.sqlstate.startswith(("08", "57P")):
        return GraphQLRefusal("postgres-error", "connection error")
    return None


def check_violation(path: str) -> GraphQLRefusal:
    """The permission's own check; Hasura never says which rule failed."""
    return GraphQLRefusal("permission-error", "check constraint of an insert/update permission has failed", path)
