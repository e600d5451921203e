"""Who is served by turns and has a share of the service: a person, or an address where no person is named."""

from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Final

from starlette.types import Scope

from permissions.session import USER_ID, Session

# Whoever knows the admin secret and names nobody.
ADMIN_PRINCIPAL: Final = "admin"
# A provider gives a household, or one rented server, a whole network of this size.
_NETWORK_BITS: Final = 64


def principal_of(session: Session, scope: Scope) -> str:
    """One name for all connections and roles of a person; callers without a user id share that of their address.

    `scope["client"]` is the client behind a proxy when that proxy is trusted, and the proxy otherwise.
    """
    user_id = session.variables.get(USER_ID)
    if user_id:
        return f"user {user_id}"
    if session.trusted:
        return ADMIN_PRINCIPAL
    client = scope.get("client")
    return f"address {_network(client[0])}" if client else ""


@lru_cache(maxsize=1024)
def _network(host: str) -> str:
    """The address, of IPv6 the network; what is neither stays as it is."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Address(int(address) >> _NETWORK_BITS << _NETWORK_BITS))
