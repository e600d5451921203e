"""What call actions bring about, as values: the ids they touched, and a ticket where the caller comes in."""

from dataclasses import dataclass
from uuid import UUID

from domain.calls.tickets import Ticket


@dataclass(frozen=True, slots=True)
class CallResult:
    call_id: UUID


@dataclass(frozen=True, slots=True)
class ParticipantResult:
    """`participant_id` is whom it was about; `call_ended` whether the call is over because of it."""

    call_id: UUID
    participant_id: UUID
    call_ended: bool = False


@dataclass(frozen=True, slots=True)
class TicketResult:
    """`participant_id` is the caller's."""

    call_id: UUID
    participant_id: UUID
    ticket: Ticket
