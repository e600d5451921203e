"""One webhook delivery, reduced to the fields we may keep."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

# A raw body holds `turnPassword` and stream keys; only what stands here is ever stored.
ALLOWED: Final[Mapping[str, frozenset[str]]] = {
    "room": frozenset({"name", "sid"}),
    "participant": frozenset({"identity", "sid", "kind", "state", "disconnect_reason"}),
    "track": frozenset({"sid", "type", "source", "muted"}),
    "egress": frozenset({"id", "status", "error_code", "results"}),
    "ingress": frozenset({"id", "status", "told_at", "started_at", "width", "height"}),
}


class Fields:
    """The fields of a payload by part and name."""

    __slots__ = ()
    payload: Mapping[str, object]

    def text(self, part: str, field: str) -> str:
        """A text field of the payload; empty when LiveKit left it out, as protobuf does with a zero value."""
        value = self._field(part, field)
        return value if isinstance(value, str) else ""

    def number(self, part: str, field: str) -> int:
        """A whole number of the payload; 0 when LiveKit left it out."""
        value = self._field(part, field)
        return value if isinstance(value, int) else 0

    def flag(self, part: str, field: str) -> bool:
        """A boolean field of the payload; False when LiveKit left it out."""
        return self._field(part, field) is True

    def _field(self, part: str, field: str) -> object:
        fields = self.payload.get(part)
        return fields.get(field) if isinstance(fields, Mapping) else None


@dataclass(frozen=True, slots=True)
class WebhookEvent(Fields):
    """LiveKit's `event` and `id` (`EV_…`, the same on every retry), its send time, and the allow-listed payload.

    `payload` is `{"room": {…}, "participant": {…}, "track": {…}, "egress": {…}, "ingress": {…}}` with the keys of
    `ALLOWED`, absent parts left out. Enum values are LiveKit's names in lowercase: kind `standard`, state `active`,
    disconnect_reason `client_initiated`, track type `audio`, source `microphone`, status `egress_active`.
    """

    id: str
    event: str
    created_at: datetime
    payload: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ReceivedEvent(Fields):
    """A delivery as it lies in the inbox. `received_at` is PostgreSQL's clock and orders all that were received.

    `attempts` counts how often it was tried before: what was received after it may have been worked out already.
    """

    id: str
    event: str
    received_at: datetime
    payload: Mapping[str, object]
    attempts: int = 0


def allowed(payload: Mapping[str, object]) -> dict[str, dict[str, object]]:
    """The payload without anything that stands not in `ALLOWED`: a second check behind the endpoint's own extraction."""
    kept: dict[str, dict[str, object]] = {}
    for part, keys in ALLOWED.items():
        value = payload.get(part)
        if isinstance(value, Mapping):
            kept[part] = {key: value[key] for key in keys & value.keys()}
    return kept
