"""The query `iceServers`."""

from typing import Any

import strawberry
from strawberry.types import Info

from domain.calls import ice_servers as domain
from resolvers.actions.action import action
from resolvers.actions.call_answers import ice_server_list
from resolvers.actions.caller import caller
from schema.types.camel_case import camel_type
from schema.types.ice_servers import IceServersInput, IceServersPayload


async def ice_servers(info: Info[Any, None], input: IceServersInput | None = strawberry.UNSET) -> IceServersPayload:
    """STUN and TURN servers with credentials for the caller."""
    given = await domain.ice_servers(*caller(info), input.region if input else None)
    return IceServersPayload(ice_servers=ice_server_list(given.servers), ttl=given.ttl)


@camel_type
class Query:
    ice_servers = action(ice_servers)
