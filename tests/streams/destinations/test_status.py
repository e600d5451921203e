"""What LiveKit's record says of an address, in the host's words."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.recording_ports import OutputReport
from domain.streams.destinations.matching import place_of, report_at, shown_of
from domain.streams.destinations.status import BROKE_OFF, REFUSED, SeenState, told_by

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("report", "sent_at", "told"),
    [
        (OutputReport("", "active", ago(1)), ago(1), SeenState("connecting")),
        (OutputReport("", "active", ago(3.9)), ago(3.9), SeenState("connecting")),
        (OutputReport("", "active", ago(4)), ago(4), SeenState("connected")),
        (OutputReport("", "active", ago(60)), ago(1), SeenState("connecting")),
        (OutputReport("", "active", ago(1)), ago(60), SeenState("connecting")),
        (OutputReport("", "active"), ago(11), SeenState("connecting")),
        (OutputReport("", "active"), ago(12), SeenState("connected")),
        (OutputReport("", "active", ago(60), 1, ago(1)), ago(60), SeenState("disconnected", BROKE_OFF)),
        (OutputReport("", "active", ago(60), 1, ago(10)), ago(60), SeenState("connected")),
        (OutputReport("", "failed", ago(60)), ago(60), SeenState("error", REFUSED)),
        (OutputReport("", "failed"), ago(0), SeenState("error", REFUSED)),
        (OutputReport("", "finished", ago(60)), ago(60), SeenState("disconnected")),
    ],
)
def test_a_report_is_one_status(report: OutputReport, sent_at: datetime, told: SeenState) -> None:
    assert told_by(report, sent_at, NOW) == told


@pytest.mark.parametrize(
    ("key", "shown"),
    [("", "{...}"), ("ab", "{...}"), ("abc", "{a...c}"), ("abcdef", "{ab...ef}"), ("abcdefghi", "{abc...ghi}"), ("a" * 99, "{aaa...aaa}")],
)
def test_a_key_is_shown_as_livekit_shows_it(key: str, shown: str) -> None:
    """By the rule of `RedactIdentifier` in LiveKit's protocol."""
    assert shown_of(key) == shown


def reports(*keys: str) -> list[OutputReport]:
    return [OutputReport(shown_of(key), "active") for key in keys]


def test_an_address_is_found_by_what_is_shown_of_its_key_and_by_its_place() -> None:
    """Keys whose ends are the same are told apart by the order in which they were added."""
    one, like_it, another = "abc-111-xyz", "abc-222-xyz", "other-key-1"
    record = reports(one, another, like_it)
    assert place_of(record[:1], one, ()) == 0
    assert place_of(record[:2], another, {0}) == 1
    assert place_of(record, like_it, {0, 1}) == 2
    assert place_of(record, one, {1, 2}) == 0
    assert place_of(record[:2], like_it, {0, 1}) is None, "it was not added"
    assert place_of([], one, ()) is None
    # Removed and added again: the record keeps the old one, and the new one comes last.
    assert place_of(reports(one, one), one, {0}) == 1


def test_a_place_where_something_else_stands_says_nothing() -> None:
    record = reports("abc-111-xyz")
    assert report_at(record, 0, "abc-111-xyz") == record[0]
    assert report_at(record, 0, "other-key-1") is None
    assert report_at(record, 1, "abc-111-xyz") is None
