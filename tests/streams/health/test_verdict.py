"""Facts of a stream as one state and one sentence."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from domain.streams.health.facts import ClientFacts, Facts, IngressFacts, Measured, RoomFacts, SegmentFacts
from domain.streams.health.verdict import FINE, NOT_RUNNING, NOTHING_KNOWN, NOTHING_YET, Health, HealthState, health

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
LIVE = Facts(NOW, "live")


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def client(*, seconds: float = 2, fps: float | None = 30, bitrate: int | None = 3_000_000, **values: object) -> ClientFacts:
    return ClientFacts(Measured(ago(seconds), bitrate, 128_000, 1280, 720, fps), **values)  # type: ignore[arg-type]


def encoder(
    *,
    seconds: float = 30,
    fps: float | None = 30,
    status: str = "publishing",
    before: float | None = None,
    best: float | None = None,
    settled: bool = False,
) -> IngressFacts:
    return IngressFacts(status, Measured(ago(seconds), 3_000_000, 128_000, 1920, 1080, fps), before, best, settled)  # type: ignore[arg-type]


def room(video: str = "sent", audio: str = "sent", *, seconds: float = 2) -> RoomFacts:
    return RoomFacts(ago(seconds), video, audio)  # type: ignore[arg-type]


def segments(seconds: float = 5, share: float | None = 1.0, *, each: int = 4) -> SegmentFacts:
    return SegmentFacts(ago(seconds), share, each)


CASES: list[tuple[str, HealthState, Facts]] = [
    ("all is well", "ok", replace(LIVE, client=client(), room=room(), segments=segments())),
    ("an encoder is well", "ok", replace(LIVE, ingress=encoder(), room=room("absent", "absent"), segments=segments())),
    ("segments alone say so", "ok", replace(LIVE, segments=segments())),
    ("the room alone says so", "ok", replace(LIVE, room=room())),
    ("nobody says anything", "none", LIVE),
    ("what was said is old", "none", replace(LIVE, client=client(seconds=16, fps=1), room=room("absent", "absent", seconds=16))),
    ("it has not begun", "none", replace(LIVE, status="starting", room=room("absent", "absent"))),
    ("it is begun by a bad encoder", "bad", replace(LIVE, status="starting", ingress=encoder(fps=5))),
    ("the connection is lost", "bad", replace(LIVE, client=client(), room=room(), segments=segments(), host_gone_since=ago(1))),
    ("segments come late", "ok", replace(LIVE, segments=segments(10))),
    ("segments stay away", "bad", replace(LIVE, segments=segments(10.1))),
    ("long segments come late", "ok", replace(LIVE, segments=segments(16, each=10))),
    ("long segments stay away", "bad", replace(LIVE, segments=segments(16.1, each=10))),
    ("short segments stay away", "bad", replace(LIVE, segments=segments(7.1, each=1))),
    ("segments are thin", "warn", replace(LIVE, segments=segments(share=0.89))),
    ("segments are torn", "bad", replace(LIVE, segments=segments(share=0.74))),
    ("segments are of unknown length", "ok", replace(LIVE, segments=segments(share=None))),
    ("few frames", "warn", replace(LIVE, client=client(fps=19.9))),
    ("hardly any frames", "bad", replace(LIVE, client=client(fps=11.9))),
    ("frames of which nobody knows", "ok", replace(LIVE, client=client(fps=None))),
    ("few for what is wanted", "warn", replace(LIVE, client=client(fps=47, target_fps=60))),
    ("as slow as is wanted", "ok", replace(LIVE, client=client(fps=10, target_fps=10))),
    ("far less than is wanted", "bad", replace(LIVE, client=client(fps=29, target_fps=60))),
    ("far less than before", "bad", replace(LIVE, client=client(fps=14, best_fps=30))),
    ("nothing at all", "bad", replace(LIVE, client=client(fps=0, bitrate=0))),
    ("much less of the picture", "warn", replace(LIVE, client=client(bitrate=700_000, best_bitrate=3_000_000))),
    ("a still picture", "ok", replace(LIVE, client=client(bitrate=800_000, best_bitrate=3_000_000))),
    ("packets are lost", "warn", replace(LIVE, client=client(packet_loss=0.03))),
    ("many packets are lost", "bad", replace(LIVE, client=client(packet_loss=0.1))),
    ("hardly a packet is lost", "ok", replace(LIVE, client=client(packet_loss=0.02))),
    ("a slow machine", "warn", replace(LIVE, client=client(limited_by="cpu"))),
    ("a slow network", "warn", replace(LIVE, client=client(limited_by="bandwidth"))),
    ("no limit", "ok", replace(LIVE, client=client(limited_by="none"))),
    ("an encoder with few frames", "warn", replace(LIVE, ingress=encoder(fps=15))),
    ("an encoder at a third", "bad", replace(LIVE, ingress=encoder(fps=9))),
    ("a lively encoder at a third", "bad", replace(LIVE, ingress=encoder(fps=18, before=18, best=60))),
    ("a lively encoder that halts", "bad", replace(LIVE, ingress=encoder(fps=0, before=60, best=60))),
    ("a lively encoder that is slower", "warn", replace(LIVE, ingress=encoder(fps=40, before=40, best=60))),
    ("an encoder of few frames at its best", "warn", replace(LIVE, ingress=encoder(fps=15, before=15, best=15))),
    ("an encoder that settled at few frames", "ok", replace(LIVE, ingress=encoder(fps=15, before=15, best=15, settled=True))),
    ("an encoder that falls from there", "bad", replace(LIVE, ingress=encoder(fps=7, before=7, best=15, settled=True))),
    ("an encoder that lost a frame or two", "ok", replace(LIVE, ingress=encoder(fps=28, before=30, best=30))),
    ("an encoder that was slow once", "ok", replace(LIVE, ingress=encoder(fps=9, seconds=91), segments=segments())),
    ("an encoder that is gone", "bad", replace(LIVE, ingress=encoder(status="inactive"), segments=segments())),
    ("an encoder that can't be read", "bad", replace(LIVE, ingress=encoder(status="error"), segments=segments())),
    ("an encoder that has not come yet", "none", replace(LIVE, status="starting", ingress=IngressFacts("inactive"))),
    ("nobody sends into the room", "bad", replace(LIVE, room=room("absent", "absent"), segments=segments())),
    ("all is muted", "warn", replace(LIVE, room=room("muted", "muted"), segments=segments())),
    ("the sound is muted", "warn", replace(LIVE, room=room("sent", "muted"), segments=segments())),
    ("the picture is muted", "warn", replace(LIVE, room=room("muted", "sent"), segments=segments())),
    ("sound alone", "ok", replace(LIVE, room=room("absent", "sent"), segments=segments())),
    *((status, "none", replace(LIVE, status=status, client=client(fps=1))) for status in ("scheduled", "ending", "ended", "cancelled")),
]


@pytest.mark.parametrize(("state", "facts"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_facts_are_one_state(state: HealthState, facts: Facts) -> None:
    found = health(facts)
    assert found.state == state
    assert found.reason.endswith(".") and (found.reason == FINE) == (state == "ok")


def test_of_what_nobody_knows_there_is_a_sentence_too() -> None:
    assert health(LIVE) == Health("none", NOTHING_KNOWN)
    assert health(replace(LIVE, status="starting")) == Health("none", NOTHING_YET)
    assert health(replace(LIVE, status="ended", client=client())) == Health("none", NOT_RUNNING)


def test_the_figures_are_those_of_the_source_that_spoke_last() -> None:
    both = replace(LIVE, client=client(seconds=10), ingress=encoder(seconds=5), segments=segments(1))
    found = health(both)
    assert (found.width, found.height, found.fps, found.since) == (1920, 1080, 30, ago(5))
    found = health(replace(both, ingress=encoder(seconds=11)))
    assert (found.width, found.video_bitrate, found.audio_bitrate, found.since) == (1280, 3_000_000, 128_000, ago(10))


def test_a_figure_that_nobody_knows_is_null_and_the_time_is_the_newest_sources() -> None:
    found = health(replace(LIVE, room=room(seconds=3), segments=segments(2)))
    assert found == Health("ok", FINE, ago(2))
    found = health(replace(LIVE, client=ClientFacts(Measured(ago(1), fps=30))))
    assert (found.fps, found.width, found.video_bitrate, found.since) == (30, None, None, ago(1))


def test_what_fails_first_is_the_reason() -> None:
    """The encoder is slow, so segments lack media: the host is told of the encoder."""
    found = health(replace(LIVE, ingress=encoder(fps=5), segments=segments(30)))
    assert found.reason == "The encoder sends far too few frames: the picture halts."
    found = health(replace(LIVE, client=client(limited_by="cpu"), segments=segments(30)))
    assert (found.state, found.reason) == ("bad", "Viewers get nothing new."), "the worst comes first"


def test_a_throttled_encoder_is_bad_within_ten_seconds_and_ok_as_fast() -> None:
    """A client that reports every five seconds: 30 % of 30 frames."""
    slow = client(seconds=4.9, fps=9, best_fps=30)
    assert health(replace(LIVE, client=slow)).state == "bad"
    assert health(replace(LIVE, client=client(seconds=0, fps=30, best_fps=30))).state == "ok"


@pytest.mark.parametrize("begins_at", range(0, 60, 5))
@pytest.mark.parametrize("fps", [25.0, 30.0, 60.0])
def test_an_encoder_at_a_third_is_seen_in_ninety_seconds_by_the_means_of_minutes(begins_at: int, fps: float) -> None:
    """Wherever in a minute it begins, and wherever it ends: the mean of that minute or of the next tells it, 5 s later at most."""
    share = begins_at / 60
    slow, down, up = 0.3 * fps, (share + 0.3 * (1 - share)) * fps, (0.3 * share + 1 - share) * fps
    for state, means in (("bad", (fps, down, slow, slow)), ("ok", (slow, up, fps, fps))):
        minutes = [health(replace(LIVE, ingress=encoder(fps=mean, before=before, best=fps))).state for before, mean in pairwise(means)]
        seen = 60 - begins_at + 60 * minutes.index(state)  # type: ignore[arg-type]
        assert seen + 5 <= 90
        assert set(minutes[minutes.index(state) :]) == {state}  # type: ignore[arg-type]
