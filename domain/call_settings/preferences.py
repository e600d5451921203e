"""How a person wants to be rung."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from domain.errors import InvalidInput
from domain.world import World
from permissions.session import Session
from schema.tables.user_call_settings import user_call_settings
from schema.tables.users import users

RingFrom = Literal["anyone", "channel_members", "nobody"]


@dataclass(frozen=True, slots=True)
class Untouched:
    """A setting that stays as it is; None is a value of some."""


UNTOUCHED: Final = Untouched()


async def set_call_preferences(
    world: World, session: Session, dnd_until: datetime | Untouched | None = UNTOUCHED, ring_from: RingFrom | Untouched = UNTOUCHED
) -> UUID:
    """Writes the caller's own settings and returns whose they are. InvalidInput for a caller who is no user.

    Rings that are open ring on; from the commit on it holds for every new one.
    """
    user_id = session.user_id
    given = {name: value for name, value in {"dnd_until": dnd_until, "ring_from": ring_from}.items() if not isinstance(value, Untouched)}
    row = sa.select(users.c.id, *(sa.literal(value, user_call_settings.c[name].type) for name, value in given.items()))
    write = pg.insert(user_call_settings).from_select(["user_id", *given], row.where(users.c.id == user_id))
    upsert = write.on_conflict_do_update(index_elements=["user_id"], set_=given or {"user_id": user_id})
    async with world.transaction("set_call_preferences.write") as tx:
        if (await tx.connection.execute(upsert.returning(user_call_settings.c.user_id))).first() is None:
            raise InvalidInput("x-hasura-user-id names no known user.")
        tx.hint(f"table:{user_call_settings.name}")
    return user_id
