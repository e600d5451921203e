"""When a room of many is told what is new: several events in one write, none of them much later than it came."""

from types import SimpleNamespace
from typing import cast

import pytest

from resolvers.feeds import room as rooms
from resolvers.feeds.channel import Channel
from resolvers.feeds.follower import Follower
from resolvers.feeds.room import COLLECTED_FOR, HOT, FollowedRoom
from resolvers.hand_written.room_feed import RoomFeed


class Played:
    """A room whose clock stands still, with so many followers."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, followers: int, every: float = 0.0) -> None:
        self.now = 100.0
        monkeypatch.setattr(rooms, "now", lambda: self.now)
        self.room = FollowedRoom(cast(RoomFeed, SimpleNamespace(every=every)), "1")
        self.channel = cast(Channel, SimpleNamespace(told=5))
        self.room.channels["all"] = self.channel
        self.room.followers = {cast(Follower, object()): self.channel for _ in range(followers)}

    def told(self) -> None:
        self.room._told_at = self.now

    def rest(self, hinted: float = 0.0) -> float:
        """Of what was hinted at so many seconds ago."""
        return self.room.rest(self.now - hinted)


def test_a_window_begins_with_the_first_event_that_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    played = Played(monkeypatch, HOT + 1)
    played.told()
    played.now += 0.02
    assert played.rest() == pytest.approx(COLLECTED_FOR)
    assert played.rest(hinted=0.01) == pytest.approx(COLLECTED_FOR - 0.01)


def test_what_came_while_others_were_written_to_waits_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Writing to thousands takes longer than a window: the one that began meanwhile is over."""
    played = Played(monkeypatch, HOT + 1)
    played.told()
    played.now += 0.1
    assert played.rest(hinted=0.09) == 0


def test_after_a_pause_an_event_goes_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    played = Played(monkeypatch, HOT + 1)
    played.told()
    played.now += 1.1 * COLLECTED_FOR
    assert played.rest() == 0


def test_a_room_of_few_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    played = Played(monkeypatch, HOT)
    played.told()
    assert played.rest() == 0


def test_a_feed_that_takes_its_time_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    played = Played(monkeypatch, 1, every=0.25)
    played.told()
    played.now += 0.1
    assert played.rest() == pytest.approx(0.15)
    assert played.room.takes_its_time


@pytest.mark.parametrize("collects", [False, True])
@pytest.mark.parametrize("behind", [False, True])
@pytest.mark.parametrize("told_before", [0.1, 1.0])
def test_rounds_leave_a_room_alone_that_collects_unless_one_of_its_channels_is_behind_or_all(
    monkeypatch: pytest.MonkeyPatch, collects: bool, behind: bool, told_before: float
) -> None:
    """Where nobody sees what is there, only the rounds know how far that is: hints alone would have it read again and again."""
    played = Played(monkeypatch, HOT + 1)
    played.told()
    played.now += told_before
    played.room.collects = collects
    played.room.channels["another"] = cast(Channel, SimpleNamespace(told=4 if behind else 5))
    assert played.room.takes_its_time is (collects and not behind and told_before < 0.5)
