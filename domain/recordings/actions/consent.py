"""giveRecordingConsent: a person agrees to being recorded in a call."""

from uuid import UUID

from domain.call_settings.consent import note_consent
from domain.calls import events
from domain.calls.access import CallAccess, access_call
from domain.calls.actions.lobby import wait_in_lobby
from domain.calls.actions.results import ParticipantResult
from domain.calls.ringing import invite
from domain.calls.seats import require_invited
from domain.recordings.life_cycle import changed
from domain.world import Transaction, World
from permissions.session import Session


async def give_recording_consent(world: World, session: Session, call_id: UUID) -> ParticipantResult:
    """The caller agrees, for this call and as long as it lasts; then joinCall gives the token. Agreeing twice is agreeing once.

    For whoever may join: who has no place in the call yet is `invited` by it, or waits in its lobby. It takes no seat and answers no ring.
    Refuses with NotFound, NotAllowed, CallNotStarted.
    """
    async with world.transaction("give_recording_consent.write") as tx:
        access = await access_call(tx, world, session, call_id)
        access.require_started()
        await require_invited(access)
        participant_id = access.me.id if access.me is not None else await _invited(tx, access)
        if await note_consent(tx, participant_id, now=access.now):
            await events.append(tx, call_id, "recording_consented", access.user_id, {}, participant_id)
            changed(tx, call_id)
    return ParticipantResult(call_id, participant_id)


async def _invited(tx: Transaction, access: CallAccess) -> UUID:
    """A new row. Nobody gets past the lobby by agreeing to be recorded."""
    if access.call.lobby:
        return await wait_in_lobby(tx, access)
    return (await invite(tx, access.call.id, [access.user_id], access.now))[0]
