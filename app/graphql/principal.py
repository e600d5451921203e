"""Who is served by turns and has a share of the service: a person, or an address where no person is named."""

from typing import Final

from starlette.types import Scope

from app.connections.addresses import client_of
from permissions.session import USER_ID, Session

# Whoever knows the admin secret and names nobody.
ADMIN_PRINCIPAL: Final = "admin"


def principal_of(session: Session, scope: Scope) -> str:
    """One name for all connections and roles of a person; callers without a user id share that of their address.

    `scope["client"]` is the client behind a proxy when that proxy is trusted, and the proxy otherwise.
    """
    user_id = session.variables.get(USER_ID)
    if user_id:
        return f"user {user_id}"
    if session.trusted:
        return ADMIN_PRINCIPAL
    address = address_of(scope)
    return f"address {address}" if address else ""


def address_of(scope: Scope) -> str:
    """Where a request comes from: of IPv6 the network that one household has; empty where nobody knows."""
    client = scope.get("client")
    return client_of(client[0]) if client else ""
