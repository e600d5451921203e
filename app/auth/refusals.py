"""The texts and codes with which Hasura refuses a caller; clients match on them."""

from permissions.errors import GraphQLRefusal


def access_denied(message: str) -> GraphQLRefusal:
    return GraphQLRefusal("access-denied", message)


def invalid_jwt(reason: str) -> GraphQLRefusal:
    """A token that can't be trusted; `reason` is one of the names Hasura's JOSE library prints."""
    return GraphQLRefusal("invalid-jwt", f"Could not verify JWT: {reason}")


def invalid_claims(message: str) -> GraphQLRefusal:
    return GraphQLRefusal("jwt-invalid-claims", message)


def missing_role_claim(name: str) -> GraphQLRefusal:
    return GraphQLRefusal("jwt-missing-role-claims", f"JWT claim does not contain {name}")


def invalid_headers(message: str) -> GraphQLRefusal:
    return GraphQLRefusal("invalid-headers", message)


def token_expired() -> GraphQLRefusal:
    """Also the reason of the close when a websocket's token runs out."""
    return invalid_jwt("JWTExpired")
