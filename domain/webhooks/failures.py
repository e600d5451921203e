"""Events that could not be worked out: the failure stands beside them, and they come again later, but not for ever."""

from collections.abc import Mapping

import structlog

from domain.errors import ActionError
from domain.ports import MediaError
from domain.webhooks import pending
from domain.world import World

log = structlog.get_logger(__name__)


async def note_failures(world: World, errors: Mapping[str, BaseException | None], *, attempted: bool) -> None:
    """Keeps why each event failed. `attempted`: the attempt was counted when it was made; otherwise it was rolled back, and counts now."""
    sentences, now = {event_id: _sentence(error) for event_id, error in errors.items()}, world.clock.now()
    async with world.transaction("webhook.failed") as tx:
        if not attempted:
            await pending.mark_attempted(tx, sentences, now)
        failures = await pending.mark_failed(tx, sentences, now)
    for failure in failures:
        _tell(failure)


def _tell(failure: pending.Failure) -> None:
    facts = {"webhook": failure.event, "webhook_id": failure.id, "error": failure.error}
    if failure.given_up:
        log.error("webhook_given_up", **facts)
    else:
        log.warning("webhook_failed", **facts)


def _sentence(failure: BaseException | None) -> str:
    """Our own errors in their words; of others only the class: a driver's text quotes values."""
    if isinstance(failure, MediaError | ActionError):
        return f"{type(failure).__name__}: {failure}"
    return type(failure).__name__
