"""What stands in a join token, and what never does."""

from datetime import UTC, datetime, timedelta

import jwt
import pytest

from app.livekit.join_tokens import LiveKitJoinTokens
from app.livekit.room_settings import RoomTimeouts
from domain.ports import Grant
from tests.livekit.targets import KEY, SECRET


class Frozen:
    """Stands where it was made."""

    def __init__(self) -> None:
        self._now = datetime.now(UTC)

    def now(self) -> datetime:
        return self._now


def claims(grant: Grant, name: str = "Alice", ttl: int = 600) -> dict[str, object]:
    clock = Frozen()
    signer = LiveKitJoinTokens(KEY, SECRET, ttl=ttl, clock=clock, timeouts=RoomTimeouts(empty=300, departure=90))
    signed = signer.sign(room="call_1", identity="user-1", name=name, grant=grant, max_participants=100)
    decoded: dict[str, object] = jwt.decode(signed.token, SECRET, algorithms=["HS256"], issuer=KEY)
    assert signed.expires_at == (clock.now() + timedelta(seconds=ttl)).replace(microsecond=0)
    assert decoded["exp"] == signed.expires_at.timestamp()
    return decoded


def test_the_whole_token_and_nothing_else() -> None:
    decoded = claims(Grant(sources=("camera", "microphone")))
    assert decoded.pop("exp") and decoded.pop("nbf")
    assert decoded == {
        "iss": KEY,
        "sub": "user-1",
        "name": "Alice",
        "video": {
            "roomJoin": True,
            "room": "call_1",
            "canPublish": True,
            "canPublishSources": ["camera", "microphone"],
            "canSubscribe": True,
            "canPublishData": True,
            "canUpdateOwnMetadata": False,
        },
        "roomConfig": {"emptyTimeout": 300, "departureTimeout": 90, "maxParticipants": 110},
    }


def test_an_audience_is_unseen_and_counts_for_nothing() -> None:
    decoded = claims(Grant(sources=(), data=False, audience=True))
    assert decoded["kind"] == "agent"
    assert decoded["video"] == {
        "roomJoin": True,
        "room": "call_1",
        "canPublish": False,
        "canPublishSources": [],
        "canSubscribe": True,
        "canPublishData": False,
        "canUpdateOwnMetadata": False,
        "hidden": True,
    }


def test_no_source_means_publish_nothing() -> None:
    video = claims(Grant(sources=(), subscribe=False, data=False))["video"]
    assert isinstance(video, dict)
    assert (video["canPublish"], video["canSubscribe"], video["canPublishData"]) == (False, False, False)


@pytest.mark.parametrize("ttl", [30, 600])
def test_its_life_is_the_setting(ttl: int) -> None:
    decoded = claims(Grant(sources=()), ttl=ttl)
    assert int(str(decoded["exp"])) - int(str(decoded["nbf"])) in (ttl - 1, ttl)


def test_a_long_name_is_cut_between_characters() -> None:
    assert claims(Grant(sources=()), name="ä" * 200)["name"] == "ä" * 128
    assert claims(Grant(sources=()), name="€" * 100)["name"] == "€" * 85
