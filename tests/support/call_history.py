"""Whether a call's history walks the life cycle, read from its events alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from domain.calls.life_cycle import CallStep
from schema.types.call_event_kinds import CALL_EVENTS


@dataclass(frozen=True, slots=True)
class Event:
    seq: int
    kind: str
    actor_id: str | None
    payload: dict[str, Any]


def assert_valid_history(events: Sequence[Event]) -> None:
    """Seqs are 1, 2, 3 …; each payload has the fields of its kind; the steps join up, each is allowed, and nothing follows the end."""
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert events[0].kind == "call_initiate"
    for event in events:
        assert event.payload.keys() == CALL_EVENTS[event.kind].keys(), event
    steps = [
        CallStep(event.payload["from"], event.payload["to"], event.payload["reason"])
        for event in events
        if event.kind == "call_state_changed"
    ]
    status = "initiated"
    for step in steps:
        assert step.before == status, (step, status)
        assert step.allowed, step
        status = step.after
    ends = [event for event in events if event.kind == "call_end"]
    assert len(ends) == (1 if status == "ended" else 0)
    assert not ends or events[-1] is ends[0]
