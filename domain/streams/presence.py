"""Whether somebody sends to a stream: what a first track and a lost connection change, however they were noticed.

Several may send at once, an encoder and the host's browser: a stream has lost its host when the last of them is gone.
"""

from collections.abc import Mapping
from datetime import datetime

from domain.streams.life_cycle import set_stream
from domain.streams.media import begin_media
from domain.streams.rows import Stream
from domain.world import Transaction


async def arrive(tx: Transaction, stream: Stream, identity: str, sid: str, *, now: datetime) -> None:
    """One of a locked stream's sources sends by this connection, and by no earlier one: LiveKit keeps one of an identity."""
    await see(tx, stream, {**stream.senders, identity: sid}, now=now)


async def depart(tx: Transaction, stream: Stream, identity: str, sid: str, *, now: datetime) -> None:
    """This connection sends no more; one that took its place goes on."""
    if stream.senders.get(identity) == sid:
        await see(tx, stream, {one: theirs for one, theirs in stream.senders.items() if one != identity}, now=now)


async def see(tx: Transaction, stream: Stream, senders: Mapping[str, str], *, now: datetime) -> None:
    """These send to a locked stream, and nobody else: it begins, or has its host back; or a live one waits for its host."""
    if stream.status not in ("starting", "live"):
        return
    lost = stream.status == "live" and not senders
    gone_since = (stream.host_gone_since or now) if lost else None
    if (senders, gone_since) != (stream.senders, stream.host_gone_since):
        await set_stream(tx, stream, senders=dict(senders), host_gone_since=gone_since)
    if senders:
        await begin_media(tx, stream, now=now)
