"""The policy that holds where no other does: a deployment names it, and a slip of the pen would keep every recording for ever."""

import sqlalchemy as sa

from domain.world import World
from schema.tables.retention_policies import retention_policies


async def has_default_policy(world: World) -> bool:
    """Whether the policy for all that the deployment names is there."""
    named = sa.exists().where(retention_policies.c.apply_to == "all", retention_policies.c.name == world.limits.default_policy)
    async with world.transaction("recording.default_policy") as tx:
        return bool((await tx.connection.execute(sa.select(named))).scalar_one())
