"""The query `iceServers`."""

from collections.abc import Iterable

import strawberry

from domain import ice_servers as domain
from domain.ports import IceServer as DomainIceServer
from domain.world import World
from permissions.session import Session
from resolvers.actions.action import action
from schema.types.camel_case import camel_type
from schema.types.ice_servers import IceServer, IceServersInput, IceServersPayload


def ice_server_list(servers: Iterable[DomainIceServer]) -> list[IceServer]:
    """As `RTCPeerConnection` takes them."""
    return [IceServer(urls=list(one.urls), username=one.username, credential=one.credential) for one in servers]


async def ice_servers(world: World, session: Session, input: IceServersInput | None = strawberry.UNSET) -> IceServersPayload:
    """STUN and TURN servers with credentials for the caller."""
    given = await domain.ice_servers(world, session, input.region if input else None)
    return IceServersPayload(ice_servers=ice_server_list(given.servers), ttl=given.ttl)


@camel_type
class Query:
    ice_servers = action(ice_servers)
