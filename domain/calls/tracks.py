"""What a person sends, as last said or seen: microphone, camera and screen, each change with its event."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from domain.calls import events
from domain.calls.rows import Participant
from domain.ports import Track
from domain.world import Transaction
from schema.tables.call_participants import call_participants

# Among the call's last events: nobody mutes hundreds within the time that is asked for.
SILENCED: Final = sa.text("""
    SELECT EXISTS (
        SELECT FROM (
            SELECT kind, payload FROM nchat_call_events WHERE call_id = :call AND created_at > :since ORDER BY seq DESC LIMIT 500
        ) AS late
        WHERE payload ->> 'participantId' = :who AND (
            (:sound AND kind = 'call_mute_changed' AND payload @> '{"trackType": "audio", "muted": true}')
            OR (:picture AND kind = 'call_video_changed' AND payload @> '{"enabled": false}')
        )
    )
""")


@dataclass(frozen=True, slots=True)
class Sent:
    """What was seen of a person's tracks; None where nothing was."""

    muted: bool | None = None
    video: bool | None = None
    screen: bool | None = None


# Whoever has no connection sends no picture. The microphone stays as last said: it is a wish as much as a fact.
NOTHING_SENT: Final = Sent(video=False, screen=False)


def sent_by(tracks: Iterable[Track]) -> Sent:
    """All tracks of a present person: LiveKit reports a mute here and nowhere else."""
    by_source = {track.source: track for track in tracks}
    microphone, camera = by_source.get("microphone"), by_source.get("camera")
    return Sent(
        muted=None if microphone is None else microphone.muted,
        video=camera is not None and not camera.muted,
        screen="screen_share" in by_source,
    )


async def see(tx: Transaction, who: Participant, sent: Sent) -> None:
    """Writes what differs from the row, with an event for each difference (lock held)."""
    found = {"is_muted": sent.muted, "is_video_enabled": sent.video, "is_screen_sharing": sent.screen}
    differs = {name: value for name, value in found.items() if value is not None and value != getattr(who, name)}
    if not differs:
        return
    ended_share = {"screen_share_asked_at": None} if differs.get("is_screen_sharing") is False else {}
    await tx.connection.execute(sa.update(call_participants).where(call_participants.c.id == who.id).values(**differs, **ended_share))
    events.changed(tx, who.call_id)
    if "is_muted" in differs:
        await _tell(tx, who, "call_mute_changed", {"trackType": "audio", "muted": differs["is_muted"]})
    if "is_video_enabled" in differs:
        await _tell(tx, who, "call_video_changed", {"enabled": differs["is_video_enabled"]})
    if "is_screen_sharing" in differs:
        await _tell(tx, who, "call_screen_share_started" if differs["is_screen_sharing"] else "call_screen_share_stopped", {})


async def silenced_since(tx: Transaction, who: Participant, sent: Sent, moment: datetime) -> bool:
    """Whether what was seen now as sent was said, or seen, to be off after `moment`, by PostgreSQL's clock, and is off by the row."""
    sound, picture = sent.muted is False and who.is_muted, bool(sent.video) and not who.is_video_enabled
    if not (sound or picture):
        return False
    asked = {"call": who.call_id, "who": str(who.id), "since": moment, "sound": sound, "picture": picture}
    return bool(await tx.connection.scalar(SILENCED, asked))


async def _tell(tx: Transaction, who: Participant, kind: events.EventKind, payload: dict[str, object]) -> None:
    await events.append(tx, who.call_id, kind, who.user_id, payload, who.id)
