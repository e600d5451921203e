"""Every way a service process dies around a recording: what people and LiveKit do, at which points it ends, and what comes of it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from tests.recordings.processes.recorded_talk import RecordedTalk
from tests.trials.crashes.crash import around
from tests.trials.trial_call import cut_off

Step = Callable[[RecordedTalk], Awaitable[Any]]


async def talk(on: RecordedTalk) -> None:
    await on.begin()


async def record(on: RecordedTalk, **manner: object) -> None:
    await on.act(on.alice, "startRecording", "recordingId", **manner)


async def runs(on: RecordedTalk) -> None:
    await on.becomes("recording")
    await on.is_written_once()


def press(name: str) -> Step:
    return partial(RecordedTalk.press, name=name)


def becomes(status: str) -> Step:
    return partial(RecordedTalk.becomes, status=status)


async def nothing(_on: RecordedTalk) -> None:
    """The service dies at what it does anyway."""


async def consent_is_wanted(on: RecordedTalk) -> None:
    await on.servers.database.execute("UPDATE nchat_calls SET recording_consent = 'ask' WHERE id = $1", on.call_id)


async def bob_agrees(on: RecordedTalk) -> None:
    await on.act(on.bob, "giveRecordingConsent")


async def die_before_the_question(on: RecordedTalk) -> None:
    """LiveKit never hears of the part."""
    await on.service.arm("egress.start:before")
    with cut_off():
        await record(on)
    await on.service.dies("egress.start:before")


async def end_the_call_and_die(on: RecordedTalk) -> None:
    """Its recording, its room and its egress go on."""
    await on.service.arm("end_call.write:after_commit")
    with cut_off():
        await on.act(on.alice, "endCall")
    await on.service.dies("end_call.write:after_commit")


async def playlist_stands_still(on: RecordedTalk) -> None:
    """For longer than a segment takes; the next look is now."""
    await on.change_parts("segment_at = now() - interval '8 seconds', next_look_at = now()")


async def it_left_the_room(on: RecordedTalk) -> None:
    """As far as LiveKit told: a while ago, and nothing came of it since."""
    long_ago = "now() - interval '16 seconds'"
    await on.change_parts(f"status = 'processing', status_since = {long_ago}, ended_at = {long_ago}, end_reason = 'lost'")


async def a_stray_begins(on: RecordedTalk) -> None:
    await on.begin_a_stray()


async def livekit_ends_it(on: RecordedTalk) -> None:
    await on.end_egresses()


async def livekit_ends_it_and_the_store_is_ill(on: RecordedTalk) -> None:
    await on.end_egresses()
    on.servers.store.turn(overloaded=True)


@dataclass(frozen=True, slots=True)
class Death:
    """`during` is under way when the process dies; `asleep`: it happens while no service runs, whose webhooks are lost, and the next
    one dies at its own work. `rest` is what comes of it, to its end. `again` are the codes that the same request may get afterwards."""

    name: str
    points: tuple[str, ...]
    before: Sequence[Step]
    during: Step
    rest: Sequence[Step] = (runs, press("stopRecording"), becomes("ready"))
    again: frozenset[str] = frozenset()
    asleep: bool = False

    @property
    def is_request(self) -> bool:
        return not self.asleep and self.during not in (nothing, playlist_stands_still)

    def moments(self) -> list[tuple["Death", str]]:
        """Each point twice: before and after."""
        return [(self, moment) for point in self.points for moment in around(point)]


RECORDER = "domain.recordings.recorder"
ASKED = f"egress.start@{RECORDER}.driving._start"
STOPPED = f"egress.stop@{RECORDER}.driving._stop"
RUNNING = (talk, record, runs)

# Around the question to LiveKit: never two, never one that nobody knows.
QUESTION = (
    Death(
        "start",
        (
            "start_recording.look",
            "rooms.list_rooms@domain.recordings.actions.start._require_media",
            "start_recording.write",
            "recording.take_starts",
            ASKED,
            "recording.adopt",
            "webhook.process",
        ),
        [talk],
        record,
        again=frozenset({"already-recording"}),
    ),
    Death(
        "given up",
        (f"egress.of_room@{RECORDER}.watching._find", "recording.give_up"),
        [talk, die_before_the_question],
        nothing,
        asleep=True,
    ),
    # The worker has no browser for a page of the deployment's.
    Death(
        "refused",
        ("recording.refused",),
        [talk],
        partial(record, layout="custom", customLayout="page"),
        rest=(becomes("failed"),),
        again=frozenset({"already-recording"}),
    ),
)
REQUESTS = (
    Death(
        "pause",
        ("pause_recording.write", "recording.take_stops", STOPPED, "webhook.process"),
        RUNNING,
        press("pauseRecording"),
        rest=(becomes("paused"), press("resumeRecording"), runs, press("stopRecording"), becomes("ready")),
    ),
    Death(
        "resume",
        ("resume_recording.write", "recording.take_starts", ASKED, "recording.adopt"),
        [*RUNNING, press("pauseRecording"), becomes("paused")],
        press("resumeRecording"),
        again=frozenset({"not-recording"}),
    ),
    Death(
        "stop",
        (
            "stop_recording.write",
            "recording.take_stops",
            STOPPED,
            "recording.take_finished",
            "recording.part_finished",
            "recording.finished",
            "recording.waiting",
        ),
        RUNNING,
        press("stopRecording"),
        rest=(becomes("ready"),),
    ),
    Death(
        "end of the call",
        ("recording.due", "recording.overdue"),
        [*RUNNING, end_the_call_and_die],
        nothing,
        rest=(becomes("ready"),),
        asleep=True,
    ),
    Death(
        "delete", ("delete_recording.write",), RUNNING, press("deleteRecording"), rest=(becomes("deleted"),), again=frozenset({"not-found"})
    ),
    Death(
        "consent",
        (
            "give_recording_consent.write",
            "recording.agreed",
            "rooms.list_participants@domain.recordings.manners.consent._begin",
            "recording.consents",
        ),
        [talk, consent_is_wanted, record],
        bob_agrees,
    ),
    Death(
        "tracks",
        ("recording.tracks", f"rooms.list_participants@{RECORDER}.tracks._record", "recording.new_tracks"),
        [talk],
        partial(record, type="individual_tracks"),
        again=frozenset({"already-recording"}),
    ),
)
BY_ITSELF = (
    Death("watch", (f"egress.active@{RECORDER}.watching._look_at_all", "recording.take_looks", "recording.grown"), RUNNING, nothing),
    Death("slow recorder", (f"egress.present@{RECORDER}.sights.see",), RUNNING, playlist_stands_still),
    Death("ended at LiveKit", (f"egress.find@{RECORDER}.sights.see", "recording.look"), RUNNING, livekit_ends_it, asleep=True),
    Death("silent upload", (f"egress.stop@{RECORDER}.sights.see",), RUNNING, it_left_the_room, asleep=True),
    Death(
        "stray",
        (f"egress.active@{RECORDER}.strays.stop_strays", "recording.strays", f"egress.stop@{RECORDER}.strays._stop"),
        RUNNING,
        a_stray_begins,
        asleep=True,
    ),
    Death("ill store", ("recording.put_off",), RUNNING, livekit_ends_it_and_the_store_is_ill, asleep=True),
)
OTHERS = (*REQUESTS, *BY_ITSELF)
DEATHS = (*QUESTION, *OTHERS)
