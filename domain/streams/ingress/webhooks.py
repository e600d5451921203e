"""ingress_started and ingress_ended, and the participant of an encoder that leaves the room."""

from datetime import datetime
from typing import Final, Protocol, cast

from domain.ports import IngressState, IngressStatus
from domain.streams.ingress.news import hear
from domain.world import Transaction

STATUS_PREFIX: Final = "endpoint_"


class IngressEvent(Protocol):
    """What is read of a webhook's event."""

    def text(self, part: str, field: str) -> str: ...

    def number(self, part: str, field: str) -> int: ...


async def told(tx: Transaction, event: IngressEvent, now: datetime) -> None:
    """A state of an encoder, inside the transaction that holds its stream."""
    await hear(tx, event.text("ingress", "id"), _state(event), now)


def _state(event: IngressEvent) -> IngressState:
    return IngressState(
        status=cast(IngressStatus, event.text("ingress", "status").removeprefix(STATUS_PREFIX)),
        told_at=_moment(event.text("ingress", "told_at")),
        started_at=_moment(event.text("ingress", "started_at")),
        width=event.number("ingress", "width") or None,
        height=event.number("ingress", "height") or None,
    )


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
