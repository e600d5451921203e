"""What the host sees of a destination, from what LiveKit's record says of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from domain.recording_ports import OutputReport
from domain.streams.destinations.rows import DestinationStatus, changed
from domain.world import Transaction

# LiveKit calls an address active before the platform has answered: one that is refused has failed by then.
SETTLED: Final = timedelta(seconds=4)
# Where its record doesn't say since when it sends.
SETTLED_UNTOLD: Final = timedelta(seconds=12)
# A connection that was made anew so long ago holds; LiveKit tries every few seconds, for 30.
STEADY: Final = timedelta(seconds=10)
BROKE_OFF: Final = "The connection broke off, and is being made anew."
REFUSED: Final = "The platform refused the connection or broke it off for good: check the address and the stream key."
NOT_TAKEN: Final = "The recorder does not take this address."
KEY_LOST: Final = "The stream key can't be read any more: enter it again."
# From which each may come: news that is late changes nothing back.
BEFORE: Final[Mapping[DestinationStatus, tuple[DestinationStatus, ...]]] = {
    "connecting": ("pending", "connecting", "connected", "disconnected", "error"),
    "connected": ("connecting", "connected", "disconnected"),
    "disconnected": ("connecting", "connected", "disconnected"),
    "error": ("pending", "connecting", "connected", "disconnected", "error"),
}
HOLD: Final = sa.text("""
    SELECT destination.id FROM nchat_stream_destinations AS destination
    WHERE destination.id = (SELECT output.destination_id FROM nchat_stream_outputs AS output WHERE output.id = :output)
    FOR NO KEY UPDATE
""")
TELL: Final = sa.text("""
    UPDATE nchat_stream_destinations AS destination SET status = CAST(:status AS destination_status), error_message = :message
    FROM nchat_stream_outputs AS output
    WHERE output.id = :output AND output.unwanted_at IS NULL AND destination.id = output.destination_id
        AND destination.status = ANY(CAST(:before AS destination_status[]))
        AND (destination.status, destination.error_message) IS DISTINCT FROM (CAST(:status AS destination_status), CAST(:message AS text))
    RETURNING destination.id
""").bindparams(sa.bindparam("before", type_=pg.ARRAY(sa.Text)))


@dataclass(frozen=True, slots=True)
class SeenState:
    """A status and, where there is something to say, a sentence of ours: LiveKit's own quotes addresses with their keys."""

    status: DestinationStatus
    message: str | None = None

    @property
    def over(self) -> bool:
        """Nothing is sent there any more."""
        return self.status == "error"


def told_by(report: OutputReport, sent_at: datetime, now: datetime) -> SeenState:
    """From one report, of an output that LiveKit took at `sent_at` and nobody took away."""
    if report.status == "failed":
        return SeenState("error", REFUSED)
    if report.status == "finished":
        return SeenState("disconnected")
    if report.retried_at is not None and now - report.retried_at < STEADY:
        return SeenState("disconnected", BROKE_OFF)
    since = sent_at if report.started_at is None else max(sent_at, report.started_at)
    return SeenState("connected" if now - since >= (SETTLED_UNTOLD if report.started_at is None else SETTLED) else "connecting")


async def hold(tx: Transaction, output_id: UUID) -> None:
    """Locks the output's destination, before anything of the output: the order in which the host's actions lock them."""
    await tx.connection.execute(HOLD, {"output": output_id})


async def tell(tx: Transaction, output_id: UUID, told: SeenState) -> bool:
    """Writes it to the output's destination, unless the output is not wanted any more, or it is no news; whether it was written."""
    values = {"output": output_id, "status": told.status, "message": told.message, "before": list(BEFORE[told.status])}
    news = (await tx.connection.execute(TELL, values)).first() is not None
    if news:
        changed(tx)
    return news
