"""The HTTP status of an answer, for those who go by it: GraphQL over HTTP's media type, and the path /v1alpha1/graphql.

Hasura: `/v1/graphql` answers 200 whatever happened inside GraphQL. The specification: an answer without `data` has a status of 4xx or 5xx.
"""

from permissions.errors import RATE_LIMIT_EXCEEDED, RATE_LIMITED, GraphQLRefusal

_UNAUTHORIZED = frozenset({"access-denied", "invalid-jwt", "invalid-headers", "jwt-missing-role-claims", "jwt-invalid-claims"})
_OURS = frozenset({"unexpected", "postgres-error"})


def status_of(refusal: GraphQLRefusal | None) -> int:
    """200 where there is data."""
    if refusal is None:
        return 200
    if refusal.code in _UNAUTHORIZED:
        return 401
    if refusal.code in (RATE_LIMITED, RATE_LIMIT_EXCEEDED):
        return 429
    if refusal.code == "method-not-allowed":
        return 405
    return 500 if refusal.code in _OURS else 400
