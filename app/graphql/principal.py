"""Who is served by turns and has a share of the service: a person, or an address where no person is named."""

from starlette.types import Scope

from permissions.session import USER_ID, Session


def principal_of(session: Session, scope: Scope) -> str:
    """One name for all connections and roles of a person; callers without a user id share that of their address."""
    user_id = session.variables.get(USER_ID)
    if user_id:
        return f"user {user_id}"
    client = scope.get("client")
    return f"address {client[0]}" if client else ""
