"""STUN and TURN servers for one person: those of the settings and those of the table."""

from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
import structlog

from domain.input_checks import require_text
from domain.ports import IceServer, Unreadable
from domain.world import World
from permissions.session import Session
from schema.tables.ice_servers import ice_servers as table

log = structlog.get_logger(__name__)
LONGEST_REGION: Final = 50


@dataclass(frozen=True, slots=True)
class IceServers:
    """`ttl` is how long the credentials live, in seconds."""

    servers: tuple[IceServer, ...]
    ttl: int


async def ice_servers(world: World, session: Session, region: str | None = None) -> IceServers:
    """The caller's own TURN credentials, then the active servers of the region and of everywhere, highest priority first."""
    if region is not None:
        require_text("region", region, LONGEST_REGION)
    own = world.turn.issue(session.user_id)
    here = sa.or_(table.c.region.is_(None), table.c.region == region) if region is not None else sa.true()
    rows = sa.select(table).where(table.c.is_active, here).order_by(table.c.priority.desc(), table.c.id)
    async with world.transaction("ice_servers.read") as tx:
        listed = (await tx.connection.execute(rows)).all()
    stored = [server for row in listed if (server := _stored(world, row)) is not None]
    return IceServers((*own, *stored), world.turn.lifetime())


def _stored(world: World, row: sa.Row[Any]) -> IceServer | None:
    """One row's server; None when its credential can't be read, which must not cost people the other servers."""
    try:
        credential = None if row.credential_encrypted is None else world.sealer.reveal(row.credential_encrypted)
    except Unreadable:
        log.error("ice_server_unreadable", ice_server_id=str(row.id))
        return None
    return IceServer(tuple(row.urls), row.username, credential)
