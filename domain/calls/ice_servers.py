"""STUN and TURN servers for one person: those of the settings and those of the table."""

from dataclasses import dataclass

import sqlalchemy as sa

from domain.ports import IceServer
from domain.world import World
from permissions.session import Session
from schema.tables.ice_servers import ice_servers as table


@dataclass(frozen=True, slots=True)
class IceServers:
    """`ttl` is how long the credentials live, in seconds."""

    servers: tuple[IceServer, ...]
    ttl: int


async def ice_servers(world: World, session: Session, region: str | None = None) -> IceServers:
    """The caller's own TURN credentials, then the active servers of the region and of everywhere, highest priority first."""
    own = world.turn.issue(session.user_id)
    here = sa.or_(table.c.region.is_(None), table.c.region == region) if region is not None else sa.true()
    rows = sa.select(table).where(table.c.is_active, here).order_by(table.c.priority.desc(), table.c.id)
    async with world.transaction("ice_servers.read") as tx:
        listed = (await tx.connection.execute(rows)).all()
    stored = [IceServer(tuple(row.urls), row.username, _clear(world, row.credential_encrypted)) for row in listed]
    return IceServers((*own, *stored), world.turn.lifetime())


def _clear(world: World, credential: str | None) -> str | None:
    return None if credential is None else world.turn.reveal(credential)
