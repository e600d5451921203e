"""Crashes while LiveKit's webhooks are stored, worked out and forgotten."""

import orjson

from tests.trials.crashes.crash import Crash, nothing
from tests.trials.crashes.people import accept, carol_comes_back, enter_bob, kick, ring, talk
from tests.trials.trial_call import TrialCall

DELIVERED = "INSERT INTO nchat_webhook_events (id, event, payload) VALUES ('EV_' || gen_random_uuid(), $1, $2::jsonb)"


async def a_foreign_rooms_webhook(on: TrialCall) -> None:
    await on.database.execute(DELIVERED, "room_started", orjson.dumps({"room": {"name": f"not {on.room}", "sid": "RM_foreign"}}).decode())


async def an_arrival_that_fails(on: TrialCall) -> None:
    """Its connection's name is longer than its column."""
    sid = await on.database.fetchval("SELECT room_sid FROM nchat_calls WHERE id = $1", on.call)
    participant = {"identity": str(on.alice), "sid": "PA_" + "x" * 300, "kind": "standard"}
    told = {"room": {"name": on.room, "sid": sid}, "participant": participant}
    await on.database.execute(DELIVERED, "participant_joined", orjson.dumps(told).decode())


async def bob_says_that_he_is_silent(on: TrialCall) -> None:
    on.here[on.bob].unpublish(on.here[on.bob].message.tracks[0].sid)
    await on.act(on.bob, "setMuted", trackType="audio", muted=True)


async def bob_publishes(on: TrialCall) -> None:
    on.here[on.bob].publish("microphone")


async def the_purge_is_due(on: TrialCall) -> None:
    await on.database.execute("UPDATE pgqueuer_schedules SET next_run = now() WHERE entrypoint = 'purge_webhooks'")


WEBHOOKS = (
    Crash("webhook", ("webhook.store", "webhook.due", "webhook.process"), [ring, accept], enter_bob),
    Crash("webhook of a room that is no call's", ("webhook.strays",), [ring], a_foreign_rooms_webhook, asleep=True),
    Crash("webhook that fails", ("webhook.one",), [ring], an_arrival_that_fails, asleep=True),
    Crash("webhook of one who is out", ("webhook.done",), [talk, kick], carol_comes_back),
    Crash(
        "webhook of one who was silent",
        ("rooms.list_participants@domain.webhooks.track_events.LookAtTracks", "webhook.look_at_tracks"),
        [talk, bob_says_that_he_is_silent],
        bob_publishes,
    ),
    Crash("webhook without LiveKit", ("webhook.failed",), [talk, kick], carol_comes_back, faults=("RemoveParticipant",)),
    Crash("age of the backlog", ("webhook.age",), [ring], nothing, asleep=True),
    Crash("purge", ("webhook.purge",), [ring], the_purge_is_due),
)
