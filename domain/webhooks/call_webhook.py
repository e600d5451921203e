"""A webhook event about a call: the event with its call under lock, the call's people, and the time."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.calls.repairs import Repair
from domain.calls.rows import Call, Participant, Roster
from domain.webhooks.departures import Departures
from domain.webhooks.webhook_event import ReceivedEvent
from domain.world import Transaction


@dataclass(frozen=True, slots=True)
class CallWebhook:
    tx: Transaction
    event: ReceivedEvent
    call: Call
    roster: Roster
    now: datetime
    # What is known to be over of the connections that begin something.
    told: Departures

    @property
    def identity(self) -> str:
        return self.event.text("participant", "identity")

    @property
    def sid(self) -> str:
        """LiveKit's id of the connection that the event speaks of."""
        return self.event.text("participant", "sid")

    @property
    def person(self) -> Participant | None:
        """Whose identity this is in the call, whatever connection it has; None for a stranger."""
        try:
            user_id = UUID(self.identity)
        except ValueError:
            return None
        return self.roster.of_user(user_id)

    @property
    def connected_person(self) -> Participant | None:
        """The person whose present connection the event speaks of; None when it is about an older one."""
        person = self.person
        return person if person is not None and person.participant_sid == self.sid else None


Effect = Callable[[CallWebhook], Awaitable[list[Repair]]]
