"""More people ring: a host asks them into a call that runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from domain.calls.access import CallAccess, access_call
from domain.calls.ringing import distinct_targets, invite, require_reachable, ring
from domain.errors import CallFull, InvalidInput
from domain.world import World
from permissions.session import Session


@dataclass(frozen=True, slots=True)
class InviteResult:
    """`participant_ids` are the rows that ring because of this request."""

    call_id: UUID
    participant_ids: tuple[UUID, ...]


async def invite_to_call(world: World, session: Session, call_id: UUID, user_ids: Sequence[UUID]) -> InviteResult:
    """Rings people who are not in the call; who is in it or rings already is left alone.

    Refuses with CallNotStarted, NotAllowed (neither host nor co-host), InvalidInput (nobody named, oneself, someone removed from the
    call), NotFound (a person without a common channel), CallFull.
    """
    async with world.transaction("invite_to_call.write") as tx:
        access = await access_call(tx, world, session, call_id)
        access.require_started()
        host = access.hosting()
        targets = distinct_targets(host.user_id, user_ids)
        _check(access, targets)
        await require_reachable(tx, host.user_id, targets, access.call.channel_id)
        known = {user_id: found for user_id in targets if (found := access.roster.of_user(user_id))}
        fresh = await invite(tx, call_id, [user_id for user_id in targets if user_id not in known], access.now)
        callable_ids = [one.id for one in known.values() if one.status in ("invited", "left")]
        rung = await ring(tx, call_id, callable_ids + fresh, actor_id=host.user_id, now=access.now)
        return InviteResult(call_id, tuple(rung))


def _check(access: CallAccess, targets: Sequence[UUID]) -> None:
    if not targets:
        raise InvalidInput("Name someone to invite.")
    expected = {one.user_id for one in access.roster.participants if one.seated or one.status == "ringing"}
    if len(expected | set(targets)) > access.call.max_participants:
        raise CallFull
    if any(one.status == "kicked" and one.user_id in targets for one in access.roster.participants):
        raise InvalidInput("Someone of these was removed from the call; readmit them first.")
