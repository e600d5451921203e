"""What LiveKit tells of an encoder that sends into a call which is being broadcast."""

from domain.calls.repairs import Repair
from domain.streams.ingress import webhooks
from domain.webhooks.call_webhook import CallWebhook


async def told(webhook: CallWebhook) -> list[Repair]:
    """A state of the encoder; it is nobody of the call."""
    await webhooks.told(webhook.tx, webhook.event, webhook.now)
    return []
