"""The texts and codes with which Hasura refuses a caller; clients match on them."""

from permissions.errors import GraphQLRefusal


def access_denied(message: str) -> GraphQLRefusal:
    return GraphQLRefusal("access-denied", message)


def invalid_jwt(reason: str) -> GraphQLRefusal:
    """A token that can't be trusted; `reason` is one of the names Hasura's JOSE library prints."""
    return GraphQLRefusal("invalid-jwt", f"Could not verify JWT: {reason}")


def invalid_claims(message: str) -> GraphQLRefusal:
    return GraphQLRefusal("jwt-invalid-claims", message)


def not_read(hint: str, wanted: str, kind: str, found: object) -> GraphQLRefusal:
    """A claim of the wrong kind, in the words of Hasura's JSON library."""
    return invalid_claims(f"{hint}: parsing {wanted} failed, expected {kind}, but encountered {kind_of(found)}")


def kind_of(found: object) -> str:
    """What JSON calls a value, as that library spells it."""
    if found is None:
        return "Null"
    if isinstance(found, bool):
        return "Boolean"
    kinds: dict[type, str] = {str: "String", list: "Array", dict: "Object"}
    return kinds.get(type(found), "Number")


def missing_role_claim(name: str) -> GraphQLRefusal:
    return GraphQLRefusal("jwt-missing-role-claims", f"JWT claim does not contain {name}")


def invalid_headers(message: str) -> GraphQLRefusal:
    return GraphQLRefusal("invalid-headers", message)


def invalid_params(message: str) -> GraphQLRefusal:
    return GraphQLRefusal("invalid-params", message)


def unexpected_hook(message: str) -> GraphQLRefusal:
    """The webhook that says who asks did not, or not so that it can be read."""
    return GraphQLRefusal("unexpected", message)


def token_expired() -> GraphQLRefusal:
    """Also the reason of the close when a websocket's token runs out."""
    return invalid_jwt("JWTExpired")
