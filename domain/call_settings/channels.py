"""How the calls of a channel are recorded, and which words its streams refuse."""

from collections.abc import Sequence
from typing import Final, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from domain.errors import InvalidInput, NotAllowed, NotFound
from domain.input_checks import require_text
from domain.world import Transaction, World
from permissions.session import Session
from schema.tables.channel_call_settings import MOST_TERMS, channel_call_settings
from schema.tables.channels import channel_members

AutoRecord = Literal["off", "first", "second", "host"]
RecordingConsent = Literal["notify", "ask"]
LONGEST_TERM: Final = 100
MANAGERS: Final = frozenset({"owner", "admin", "moderator"})
NOT_RECORDED: Final = "This deployment records no calls."


async def set_channel_call_settings(
    world: World,
    session: Session,
    channel_id: UUID,
    auto_record: AutoRecord | None = None,
    recording_consent: RecordingConsent | None = None,
    blocked_terms: Sequence[str] | None = None,
) -> UUID:
    """Writes what is given, for the channel's owner, admins and moderators; returns the channel's id. Calls that are there keep theirs.

    Refuses with NotFound (no such channel, or not the caller's), NotAllowed (a member only), InvalidInput (too many or too long terms,
    recording where the deployment records nothing).
    """
    given = {"auto_record": auto_record, "recording_consent": recording_consent}
    values: dict[str, object] = {name: value for name, value in given.items() if value is not None}
    if blocked_terms is not None:
        values["blocked_terms"] = _terms(blocked_terms)
    write = pg.insert(channel_call_settings).values(channel_id=channel_id, **values)
    async with world.transaction("set_channel_call_settings.write") as tx:
        await _require_manager(tx, session.user_id, channel_id)
        require_recordable(world, auto_record, recording_consent)
        await tx.connection.execute(write.on_conflict_do_update(index_elements=["channel_id"], set_=values or {"channel_id": channel_id}))
        tx.hint(f"table:{channel_call_settings.name}")
    return channel_id


def require_recordable(world: World, auto_record: AutoRecord | None, recording_consent: RecordingConsent | None) -> None:
    """InvalidInput for who wants calls recorded, or people asked before, where nothing is ever recorded. None, `off` and `notify` pass."""
    if not world.records and (auto_record not in (None, "off") or recording_consent == "ask"):
        raise InvalidInput(NOT_RECORDED)


async def _require_manager(tx: Transaction, user_id: UUID, channel_id: UUID) -> None:
    """The role is read as text: a deployment may have an enum of its own there."""
    own = sa.select(sa.cast(channel_members.c.role, sa.Text)).where(
        channel_members.c.channel_id == channel_id, channel_members.c.user_id == user_id
    )
    role = await tx.connection.scalar(own)
    if role is None:
        raise NotFound
    if role not in MANAGERS:
        raise NotAllowed("Only the channel's owner, admins and moderators can do that.")


def _terms(terms: Sequence[str]) -> list[str]:
    """Each once, without space around it."""
    for term in terms:
        require_text("a blocked term", term, LONGEST_TERM)
    distinct = list(dict.fromkeys(term.strip() for term in terms))
    if "" in distinct:
        raise InvalidInput("A blocked term is not empty.")
    if len(distinct) > MOST_TERMS:
        raise InvalidInput(f"blockedTerms are at most {MOST_TERMS}.")
    return distinct
