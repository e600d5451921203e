"""What LiveKit's recorder tells of a recording."""

from domain.calls.repairs import Repair
from domain.recordings.recorder.webhooks import egress_told
from domain.streams.destinations.watching import look_soon
from domain.webhooks.call_webhook import CallWebhook


async def told(webhook: CallWebhook) -> list[Repair]:
    """A status, of which each is further than the one before, whatever order they come in."""
    event = webhook.event
    egress_id, status = event.text("egress", "id"), event.text("egress", "status")
    await egress_told(webhook.tx, egress_id, status, event.number("egress", "error_code"), webhook.now)
    # Of a call that is broadcast as well.
    await look_soon(webhook.tx, egress_id, webhook.now)
    return []
