"""Whether somebody sends to a stream: what a first track and a lost connection change, however they were noticed."""

from datetime import datetime

from domain.streams.life_cycle import set_stream
from domain.streams.media import begin_media
from domain.streams.rows import Stream
from domain.world import Transaction


async def arrive(tx: Transaction, stream: Stream, sid: str, *, now: datetime) -> None:
    """The host, or the host's encoder, sends by this connection to a locked stream: it begins, or is back."""
    if stream.status not in ("starting", "live"):
        return
    if stream.host_sid != sid or stream.host_gone_since is not None:
        await set_stream(tx, stream, host_sid=sid, host_gone_since=None)
    await begin_media(tx, stream, now=now)


async def lose(tx: Transaction, stream: Stream, *, now: datetime) -> None:
    """Nobody sends any more: a live stream waits for its host, one that is starting goes on starting."""
    if stream.host_sid is None or stream.status not in ("starting", "live"):
        return
    await set_stream(tx, stream, host_sid=None, host_gone_since=now if stream.status == "live" else None)
