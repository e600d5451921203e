"""What LiveKit says of an encoder, by webhook or when it is asked: each word counts once, and never after a newer one."""

from datetime import datetime

from domain.ports import IngressState
from domain.streams.ingress.frame_rates import FrameRates
from domain.streams.ingress.rows import StreamIngress, by_identity, by_ingress_id, set_ingress
from domain.world import Transaction


async def hear(tx: Transaction, ingress_id: str, state: IngressState, now: datetime) -> None:
    """A state of the ingress of LiveKit's id; one that is not ours changes nothing.

    Webhooks may be late, doubled and out of order: what is not newer than the last word is old.
    """
    ingress = await by_ingress_id(tx, ingress_id)
    if ingress is None or ingress.removed_at is not None or not _is_news(ingress, state):
        return
    publishing = state.status == "publishing"
    values: dict[str, object] = {
        "status": state.status,
        "told_at": state.told_at or now,
        "missed_at": None,
        "publishing_since": (ingress.publishing_since or state.started_at or now) if publishing and ingress.retired_at is None else None,
    }
    if publishing:
        values |= {
            "video_width": state.width,
            "video_height": state.height,
            **_frame_rates(ingress, state.fps, state.told_at or now),
            "video_bitrate": state.video_bitrate,
            "audio_bitrate": state.audio_bitrate,
        }
    await set_ingress(tx, ingress, **values)


async def left(tx: Transaction, identity: str) -> None:
    """The encoder's participant is out of the room: a worker that died says nothing itself."""
    ingress = await by_identity(tx, identity)
    if ingress is not None and ingress.status == "publishing":
        await lose(tx, ingress)


async def is_unwanted(tx: Transaction, identity: str) -> bool:
    """Whether this encoder came with a key that LiveKit has not forgotten yet, and that nobody wants any more."""
    ingress = await by_identity(tx, identity)
    return ingress is not None and ingress.retired_at is not None


async def lose(tx: Transaction, ingress: StreamIngress) -> None:
    """LiveKit's record says that the encoder sends, and it does not. The next word of its own is newer, and counts."""
    await set_ingress(tx, ingress, status="inactive", publishing_since=None, missed_at=None)


def _frame_rates(ingress: StreamIngress, said: float | None, at: datetime) -> dict[str, object]:
    """The newest, the one before it and what both are compared with, since the encoder is on the air. Nothing is said of what was not
    measured yet; once it was, that is no picture."""
    on_air = ingress.status == "publishing"
    before, known = (ingress.video_fps, ingress.rates) if on_air else (None, FrameRates())
    now = 0.0 if said is None and known.best is not None else said
    rates = known.heard(now, at)
    return {
        "video_fps": now,
        "video_fps_before": before,
        "video_fps_best": rates.best,
        "video_fps_steady": rates.steady,
        "video_fps_steady_since": rates.steady_since,
    }


def _is_news(ingress: StreamIngress, state: IngressState) -> bool:
    if state.status == "unknown":
        return False
    return ingress.told_at is None or state.told_at is None or state.told_at > ingress.told_at
