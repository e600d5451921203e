"""What every action on a recording asks first: who may see it, and who keeps it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from domain.calls.rows import Roster, roster
from domain.errors import NotAllowed, NotFound
from domain.recordings.held import Held, hold
from domain.recordings.rows import Recording
from domain.world import Transaction, World
from permissions.session import ADMIN, Session
from schema.model import TableName
from schema.tables.call_recordings import call_recordings

RECORDINGS: Final = TableName("public", call_recordings.name)
HOSTS: Final = ("host", "co_host")


@dataclass(frozen=True, slots=True)
class RecordingAccess:
    """A caller's access to a recording in hand. `roster` is that of the call that is recorded or shown, else empty."""

    tx: Transaction
    held: Held
    roster: Roster
    user_id: UUID
    session: Session
    now: datetime

    @property
    def recording(self) -> Recording:
        return self.held.recording

    @property
    def is_host(self) -> bool:
        """Whether the caller is in the call as host or co-host at this moment."""
        me = self.roster.of_user(self.user_id)
        return me is not None and me.seated and me.role in HOSTS

    def keeping(self) -> None:
        """NotAllowed for who is not one of its keepers: who started it, the hosts of the moment, and the role `admin`.

        And for everybody where a stream is recorded: that recording begins and ends with the stream.
        """
        if self.recording.call_id is None:
            raise NotAllowed("A stream's recording begins and ends with the stream.")
        if not (self.session.role == ADMIN or self.recording.started_by == self.user_id or self.is_host):
            raise NotAllowed("Only who started the recording, or a host, may do that.")

    def owning(self) -> None:
        """NotAllowed for who may not remove it: of an ended call the hosts of its last moment may. Who watches a stream watches its
        recording: while it runs, nobody may; its clips are others."""
        if self.recording.call_id is None and self.recording.clip_from is None and not self.held.source.over:
            raise NotAllowed("Stop the stream first.")
        me = self.roster.of_user(self.user_id)
        kicked = me is not None and me.status == "kicked"
        owns = self.recording.started_by == self.user_id or (me is not None and me.role in HOSTS)
        if self.session.role != ADMIN and (kicked or not owns):
            raise NotAllowed("Only who started the recording, or a host, may do that.")


async def access_recording(tx: Transaction, world: World, session: Session, recording_id: UUID) -> RecordingAccess:
    """Locks the call or stream and the recording for the caller; NotFound for whoever may not see it, as for one that does not exist."""
    visible = sa.select(sa.literal(1)).where(call_recordings.c.id == recording_id, world.readable(session, RECORDINGS, call_recordings))
    if (await tx.connection.execute(visible)).first() is None:
        raise NotFound
    held = await hold(tx, recording_id)
    if held is None or held.recording.status == "deleted":
        raise NotFound
    call_id = held.source.shows if held.source.call is None else held.source.call.id
    people = Roster(()) if call_id is None else await roster(tx, call_id)
    return RecordingAccess(tx, held, people, session.user_id, session, world.clock.now())
