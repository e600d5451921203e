"""A call under test and short questions about it."""

from dataclasses import dataclass
from uuid import UUID

from tests.support.domain_setup import Setup
from tests.support.telling_rooms import TellingRoom


@dataclass(slots=True)
class Running:
    """One call, its room, and what the database says of both."""

    on: Setup
    id: UUID
    room: TellingRoom

    async def status(self) -> tuple[str, str | None]:
        """The call's status and end reason."""
        row = await self.on.call(self.id)
        return row["status"], row["end_reason"]

    async def standing(self, user_id: UUID) -> tuple[str, str | None]:
        """A participant's status and leave reason."""
        row = await self.on.participant(self.id, user_id)
        return row["status"], row["leave_reason"]

    async def sid(self, user_id: UUID) -> str | None:
        sid: str | None = (await self.on.participant(self.id, user_id))["participant_sid"]
        return sid

    async def kinds(self) -> list[str]:
        return await self.on.kinds(self.id)

    async def state(self) -> dict[str, object]:
        """Everything that a webhook or a look may change, without times."""
        call = await self.on.call(self.id)
        rows = await self.on.database.fetch(
            "SELECT user_id::text, status, role, participant_sid, is_muted, is_video_enabled, is_screen_sharing"
            " FROM nchat_call_participants WHERE call_id = $1",
            self.id,
        )
        return {"call": call["status"], **{row["user_id"]: tuple(row)[1:] for row in rows}}
