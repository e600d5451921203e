"""Facts of a stream as one state and one sentence: the worst that somebody says, as long as it is news."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from domain.streams.health.facts import ClientFacts, Facts, IngressFacts, Measured, RoomFacts, SegmentFacts

HealthState = Literal["ok", "warn", "bad", "none"]
# What is older says nothing of now: clients report every few seconds, LiveKit's ingress once a minute.
CLIENT_FRESH: Final = timedelta(seconds=15)
INGRESS_FRESH: Final = timedelta(seconds=90)
ROOM_FRESH: Final = timedelta(seconds=15)
# A segment is seen within 4 s of its time, and takes a moment to upload.
SEEN_WITHIN: Final = timedelta(seconds=6)
# Shares of what is wanted, or was reached before.
SLOW, HALTING = 0.8, 0.5
# Frames a second, where nothing else is known to compare with.
FEW_FRAMES, HARDLY_ANY_FRAMES = 20.0, 12.0
# Shares of media in the time that it should fill.
THIN, TORN = 0.9, 0.75
LOSSY, BROKEN = 0.03, 0.10
# A still picture may take a third of what a lively one takes.
POOR_BITRATE: Final = 0.25

NOT_RUNNING: Final = "The stream is not running."
NOTHING_YET: Final = "Nothing is sent yet."
NOTHING_KNOWN: Final = "Nobody says how the stream is doing."
FINE: Final = "Picture and sound arrive."
Finding = tuple[Literal["warn", "bad"], str]


@dataclass(frozen=True, slots=True)
class Health:
    """`since` is the time of the source that the figures are of, of the newest source where there are none."""

    state: HealthState
    reason: str
    since: datetime | None = None
    video_bitrate: int | None = None
    audio_bitrate: int | None = None
    width: int | None = None
    height: int | None = None
    fps: float | None = None


def health(facts: Facts) -> Health:
    """The state, with the figures of whoever spoke last."""
    if facts.status not in ("starting", "live"):
        return Health("none", NOT_RUNNING)
    fresh = _fresh(facts)
    state, reason = _state(fresh)
    figures = _newest(fresh)
    if figures is None:
        return Health(state, reason, _last_word(fresh))
    return Health(state, reason, figures.since, figures.video_bitrate, figures.audio_bitrate, figures.width, figures.height, figures.fps)


def _fresh(facts: Facts) -> Facts:
    """Without what is too old to say anything of now."""
    client, ingress, room = facts.client, facts.ingress, facts.room
    if client is not None and facts.now - client.figures.since > CLIENT_FRESH:
        client = None
    if ingress is not None and ingress.figures is not None and facts.now - ingress.figures.since > INGRESS_FRESH:
        ingress = IngressFacts(ingress.status)
    if room is not None and facts.now - room.looked_at > ROOM_FRESH:
        room = None
    return Facts(facts.now, facts.status, facts.host_gone_since, client, ingress, facts.segments, room)


def _state(facts: Facts) -> tuple[HealthState, str]:
    findings = list(_findings(facts))
    worst = next((one for one in findings if one[0] == "bad"), None) or next(iter(findings), None)
    if worst is not None:
        return worst
    if facts.status == "starting":
        return "none", NOTHING_YET
    return ("none", NOTHING_KNOWN) if _last_word(facts) is None else ("ok", FINE)


def _findings(facts: Facts) -> Iterator[Finding]:
    """From the source to the viewers: what fails first is the reason for what fails after it."""
    if facts.host_gone_since is not None:
        yield "bad", "The host's connection is lost."
    if facts.ingress is not None:
        yield from _of_ingress(facts.ingress, live=facts.status == "live")
    if facts.client is not None:
        yield from _of_client(facts.client)
    if facts.room is not None and facts.status == "live" and facts.ingress is None:
        yield from _of_room(facts.room)
    if facts.segments is not None and facts.status == "live":
        yield from _of_segments(facts.segments, facts.now)


def _of_ingress(ingress: IngressFacts, *, live: bool) -> Iterator[Finding]:
    if ingress.status == "error":
        yield "bad", "LiveKit can't read what the encoder sends."
    elif ingress.status != "publishing" and live:
        yield "bad", "The encoder sends nothing."
    if ingress.figures is not None and ingress.status == "publishing":
        known = ingress.settled or (ingress.best_fps is not None and SLOW * ingress.best_fps >= FEW_FRAMES)
        yield from _of_frames(_at_last(ingress), ingress.best_fps if known else None, "The encoder sends")


def _at_last(ingress: IngressFacts) -> float | None:
    """The frame rate at the end of the minute whose mean LiveKit told: it goes on as it went from the minute before. Without that a change
    in the middle of a minute would be told a minute late, and an end of it too."""
    mean = None if ingress.figures is None else ingress.figures.fps
    if mean is None or ingress.fps_before is None:
        return mean
    return max(0.0, 2 * mean - ingress.fps_before)


def _of_client(client: ClientFacts) -> Iterator[Finding]:
    figures = client.figures
    yield from _of_frames(figures.fps, client.target_fps or client.best_fps, "The host's client sends")
    if client.packet_loss is not None and client.packet_loss >= LOSSY:
        yield "bad" if client.packet_loss >= BROKEN else "warn", "The host's network loses packets."
    if client.limited_by == "cpu":
        yield "warn", "The host's machine is too slow for this picture."
    if client.limited_by == "bandwidth":
        yield "warn", "The host's network is too slow for this picture."
    if figures.video_bitrate is not None and client.best_bitrate and figures.video_bitrate < POOR_BITRATE * client.best_bitrate:
        yield "warn", "Much less of the picture is sent than before."


def _of_frames(fps: float | None, wanted: float | None, who: str) -> Iterator[Finding]:
    """Against what is wanted, and where that is not known against what people take for moving."""
    if fps is None:
        return
    few, hardly_any = (SLOW * wanted, HALTING * wanted) if wanted else (FEW_FRAMES, HARDLY_ANY_FRAMES)
    if fps < hardly_any:
        yield "bad", f"{who} far too few frames: the picture halts."
    elif fps < few:
        yield "warn", f"{who} too few frames."


def _of_room(room: RoomFacts) -> Iterator[Finding]:
    if room.video != "sent" and room.audio != "sent":
        muted = "muted" in (room.video, room.audio)
        yield ("warn", "Picture and sound are switched off.") if muted else ("bad", "Neither picture nor sound is sent.")
    elif room.video == "muted" or room.audio == "muted":
        yield "warn", f"The {'picture' if room.video == 'muted' else 'sound'} is switched off."


def _of_segments(segments: SegmentFacts, now: datetime) -> Iterator[Finding]:
    if now - segments.newest_at > timedelta(seconds=segments.seconds) + SEEN_WITHIN:
        yield "bad", "Viewers get nothing new."
    elif segments.share is not None and segments.share < THIN:
        yield "bad" if segments.share < TORN else "warn", "Parts of picture and sound are missing in what viewers get."


def _newest(facts: Facts) -> Measured | None:
    known: Sequence[Measured | None] = (
        None if facts.client is None else facts.client.figures,
        None if facts.ingress is None or facts.ingress.status != "publishing" else facts.ingress.figures,
    )
    return max((one for one in known if one is not None), key=lambda one: one.since, default=None)


def _last_word(facts: Facts) -> datetime | None:
    words = [
        None if facts.client is None else facts.client.figures.since,
        None if facts.ingress is None or facts.ingress.figures is None else facts.ingress.figures.since,
        None if facts.room is None else facts.room.looked_at,
        None if facts.segments is None else facts.segments.newest_at,
    ]
    return max((one for one in words if one is not None), default=None)
