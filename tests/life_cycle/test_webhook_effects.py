"""What each webhook changes, and that late, doubled and foreign ones change nothing."""

import pytest

from domain.calls.actions.join import join_call
from domain.calls.actions.kick import kick_participant, readmit_participant
from domain.calls.actions.leave import leave_call
from domain.calls.actions.mute import mute_participant
from domain.ports import Track
from domain.webhooks.inbox import process_pending
from tests.life_cycle.running_call import Running
from tests.support.domain_setup import ALICE, BOB, CAROL, MALLORY, Setup, session
from tests.support.dump import dump
from tests.support.telling_rooms import deliver, participant, published, slim

pytestmark = pytest.mark.anyio


async def test_two_people_in_the_room_connect_the_call(direct: Running) -> None:
    assert await direct.status() == ("connected", None)
    assert (await direct.on.call(direct.id))["connected_at"] == direct.on.clock.now()
    assert await direct.standing(ALICE) == ("connected", None)
    assert await direct.kinds() == [
        "call_initiate",
        "call_incoming",
        "call_state_changed",
        "call_accept",
        "call_state_changed",
        "call_participant_joined",
        "call_participant_joined",
        "call_state_changed",
    ]


async def test_one_alone_does_not(ringing: Running) -> None:
    joined = await ringing.room.join(ALICE)
    assert await ringing.status() == ("ringing", None)
    assert await ringing.sid(ALICE) == joined.sid


async def test_a_client_that_leaves_a_direct_call_ends_it(direct: Running) -> None:
    await direct.room.leave(BOB)
    assert await direct.status() == ("ended", "completed")
    assert await direct.standing(BOB) == ("left", "user_left")
    assert direct.room.name not in direct.on.rooms.rooms


async def test_a_host_who_closes_the_browser_hands_on(group: Running) -> None:
    await group.room.leave(ALICE)
    assert await group.status() == ("connected", None)
    assert (await group.on.participant(group.id, BOB))["role"] == "host"


@pytest.mark.parametrize("reason", ["connection_timeout", "state_mismatch", "unknown_reason", "server_shutdown", "signal_close"])
async def test_a_lost_connection_may_come_back(direct: Running, reason: str) -> None:
    await direct.room.leave(BOB, reason)
    assert await direct.status() == ("reconnecting", None)
    assert await direct.standing(BOB) == ("disconnected", None)
    back = await direct.room.join(BOB)
    assert await direct.status() == ("connected", None)
    assert await direct.sid(BOB) == back.sid
    kinds = await direct.kinds()
    assert kinds[-4:] == ["call_participant_disconnected", "call_state_changed", "call_participant_joined", "call_state_changed"]


async def test_three_minus_one_lost_is_still_a_conversation(group: Running) -> None:
    await group.room.leave(CAROL, "connection_timeout")
    assert await group.status() == ("connected", None)
    assert await group.standing(CAROL) == ("disconnected", None)


async def test_a_second_device_moves_the_call_there(direct: Running) -> None:
    before = await direct.kinds()
    second = await direct.room.join(BOB)
    assert await direct.status() == ("connected", None)
    assert await direct.sid(BOB) == second.sid
    assert await direct.kinds() == before


async def test_the_first_devices_late_leave_does_not_count(direct: Running) -> None:
    first = direct.on.rooms.people[direct.room.name][str(BOB)]
    direct.room.silent = True
    second = await direct.room.join(BOB)
    duplicate, joined = direct.room.told[-2:]
    await deliver(direct.on, joined, duplicate)
    direct.room.silent = False
    await direct.room.tell("participant_left", participant(first, reason="connection_timeout"))
    assert await direct.sid(BOB) == second.sid
    assert await direct.standing(BOB) == ("connected", None)


async def test_a_join_that_arrives_after_its_leave_is_no_join(group: Running) -> None:
    await leave_call(group.on.world, session(CAROL), group.id)
    group.room.silent = True
    await group.room.join(CAROL)
    await group.room.leave(CAROL, "connection_timeout")
    joined, left = group.room.told[-2:]
    group.on.rooms.asked.clear()
    before = await group.state()
    await deliver(group.on, left, joined)
    assert await group.state() == before
    assert group.on.rooms.asked["remove_participant"] == 0


async def test_a_second_delivery_changes_nothing(direct: Running) -> None:
    before = await dump(direct.on.database)
    await deliver(direct.on, *direct.room.told)
    assert await dump(direct.on.database) == before


@pytest.mark.parametrize("reason", ["participant_removed", "room_deleted"])
async def test_an_ending_that_is_not_ours_is_final(direct: Running, reason: str) -> None:
    await direct.room.leave(BOB, reason)
    assert await direct.status() == ("ended", "completed")


async def test_a_kicked_person_who_rejoins_is_put_out_again(group: Running) -> None:
    bob = await group.on.participant(group.id, BOB)
    await kick_participant(group.on.world, session(ALICE), group.id, bob["id"])
    await group.room.join(BOB)
    assert str(BOB) not in group.on.rooms.people[group.room.name]
    assert (await group.standing(BOB))[0] == "kicked"


async def test_readmitted_is_not_joined(group: Running) -> None:
    bob = await group.on.participant(group.id, BOB)
    await kick_participant(group.on.world, session(ALICE), group.id, bob["id"])
    await readmit_participant(group.on.world, session(ALICE), group.id, bob["id"])
    await group.room.join(BOB)
    assert str(BOB) not in group.on.rooms.people[group.room.name]
    assert (await group.standing(BOB))[0] == "invited"


@pytest.mark.parametrize("identity", [str(MALLORY), "EG_recorder", "", "00000000-0000-4000-8000-00000000000g"])
async def test_a_stranger_is_put_out(direct: Running, identity: str) -> None:
    before = await direct.state()
    await direct.room.join(identity)
    assert identity not in direct.on.rooms.people[direct.room.name]
    assert await direct.state() == before


async def test_a_recorder_is_no_person(direct: Running) -> None:
    fields: dict[str, object] = {"identity": "EG_1", "sid": "PA_EG", "kind": "egress", "state": "active"}
    await direct.room.tell("participant_joined", {"participant": fields})
    assert direct.on.rooms.asked["remove_participant"] == 0


async def test_who_joins_an_ended_call_closes_its_room(direct: Running) -> None:
    sid = direct.room.sid
    await leave_call(direct.on.world, session(BOB), direct.id)
    await direct.on.rooms.create_room(direct.room.name, max_participants=2)
    late = direct.on.rooms.join(direct.room.name, str(BOB))
    before = await direct.state()
    await direct.room.tell("participant_joined", participant(late), sid=sid)
    assert direct.room.name not in direct.on.rooms.rooms
    assert await direct.state() == before


async def test_tracks_tell_what_is_sent(direct: Running) -> None:
    await direct.room.leave(BOB, "connection_timeout")
    await direct.room.join(BOB, "microphone", "camera", "screen_share")
    bob = await direct.on.participant(direct.id, BOB)
    assert (bob["is_muted"], bob["is_video_enabled"], bob["is_screen_sharing"]) == (False, True, True)
    shown = direct.on.rooms.people[direct.room.name][str(BOB)]
    for track in shown.tracks[1:]:
        await direct.room.tell("track_unpublished", slim(shown) | published(track))
    bob = await direct.on.participant(direct.id, BOB)
    assert (bob["is_video_enabled"], bob["is_screen_sharing"]) == (False, False)
    kinds = await direct.kinds()
    assert kinds[-4:] == ["call_video_changed", "call_screen_share_started", "call_video_changed", "call_screen_share_stopped"]


async def test_tracks_of_an_older_connection_do_not_count(direct: Running) -> None:
    first = direct.on.rooms.people[direct.room.name][str(BOB)]
    await direct.room.join(BOB)
    before = await direct.state()
    await direct.room.tell("track_published", slim(first) | {"track": {"sid": "TR_old", "source": "camera"}})
    assert await direct.state() == before


async def test_a_published_track_that_is_known_to_be_gone_does_not_count(direct: Running) -> None:
    bob = direct.on.rooms.people[direct.room.name][str(BOB)]
    track: dict[str, dict[str, object]] = {"track": {"sid": "TR_screen", "source": "screen_share"}}
    await direct.room.tell("track_unpublished", slim(bob) | track)
    await direct.room.tell("track_published", slim(bob) | track)
    assert not (await direct.on.participant(direct.id, BOB))["is_screen_sharing"]


async def test_a_track_published_muted(direct: Running) -> None:
    bob = direct.on.rooms.people[direct.room.name][str(BOB)]
    track: dict[str, dict[str, object]] = {"track": {"sid": "TR_9", "source": "microphone", "muted": True}}
    await direct.room.tell("track_published", slim(bob) | track)
    assert (await direct.on.participant(direct.id, BOB))["is_muted"]
    assert (await direct.kinds())[-1] == "call_mute_changed"


async def test_a_track_that_is_told_late_does_not_unmute_who_was_muted_meanwhile(direct: Running) -> None:
    bob = direct.on.rooms.join(direct.room.name, str(BOB), "microphone", "camera")
    await direct.room.tell("participant_joined", participant(bob))
    await direct.room.tell("track_published", slim(bob) | published(bob.tracks[1]))
    row = await direct.on.participant(direct.id, BOB)
    for kind in ("audio", "video"):
        await mute_participant(direct.on.world, session(ALICE), direct.id, row["id"], kind)
    for track in bob.tracks:
        await direct.room.tell("track_published", slim(bob) | published(track))
    row = await direct.on.participant(direct.id, BOB)
    assert (row["is_muted"], row["is_video_enabled"]) == (True, False)
    assert (await direct.kinds())[-2:] == ["call_mute_changed", "call_video_changed"]


async def test_who_was_muted_and_publishes_again_is_heard(direct: Running) -> None:
    row = await direct.on.participant(direct.id, BOB)
    await mute_participant(direct.on.world, session(ALICE), direct.id, row["id"], "audio")
    bob = direct.on.rooms.join(direct.room.name, str(BOB), "microphone")
    await direct.room.tell("participant_joined", participant(bob))
    direct.on.rooms.broken = {"list_participants"}
    await direct.room.tell("track_published", slim(bob) | published(bob.tracks[0]))
    assert (await direct.on.participant(direct.id, BOB))["is_muted"]
    # What LiveKit did not answer is owed, and asked again.
    direct.on.rooms.broken = set()
    direct.on.clock.advance(seconds=10)
    await process_pending(direct.on.world)
    assert not (await direct.on.participant(direct.id, BOB))["is_muted"]


async def test_a_finished_room_completes_a_conversation(direct: Running) -> None:
    direct.room.silent = True
    await direct.room.finish()
    await deliver(direct.on, direct.room.told[-1])
    assert await direct.status() == ("ended", "completed")


async def test_a_ringing_call_gets_its_room_again(ringing: Running) -> None:
    first = ringing.room.sid
    await ringing.room.finish()
    assert await ringing.status() == ("ringing", None)
    assert ringing.room.sid != first
    assert (await ringing.on.call(ringing.id))["room_sid"] == ringing.room.sid


async def test_another_life_of_the_room_does_not_count(direct: Running) -> None:
    before = await direct.state()
    await direct.room.tell("room_finished", {}, sid="RM_other")
    await direct.room.tell("room_started", {}, sid="RM_other")
    assert await direct.state() == before


async def test_a_room_that_is_no_calls_is_left_alone(direct: Running) -> None:
    direct.room.name = "someone_elses"
    await direct.room.tell("participant_joined", {"participant": {"identity": "x", "sid": "PA_x"}}, sid="RM_x")
    waiting = await direct.on.database.fetchval("SELECT count(*) FROM nchat_webhook_events WHERE processed_at IS NULL")
    assert waiting == 0
    assert await process_pending(direct.on.world) == 0


async def test_an_unknown_event_is_kept_and_done(on: Setup, direct: Running) -> None:
    await direct.room.tell("agent_job_started", {})
    row = await on.database.fetchrow("SELECT processed_at, error FROM nchat_webhook_events WHERE event = 'agent_job_started'")
    assert row is not None
    assert row["processed_at"] is not None
    assert row["error"] is None


async def test_a_reloaded_page_stays_in_the_call(direct: Running) -> None:
    """The old connection's end is worked out only after the page has its new token, and is in the room again."""
    direct.room.silent = True
    await direct.room.leave(BOB)
    left = direct.room.told[-1]
    await join_call(direct.on.world, session(BOB), direct.id)
    again = await direct.room.join(BOB)
    joined = direct.room.told[-1]
    await deliver(direct.on, left, joined)
    assert await direct.status() == ("connected", None)
    assert await direct.standing(BOB) == ("connected", None)
    assert await direct.sid(BOB) == again.sid
    assert str(BOB) in direct.on.rooms.people[direct.room.name]


async def test_a_token_that_nobody_uses_hides_nothing_of_the_first_device(direct: Running) -> None:
    first = await direct.sid(BOB)
    await join_call(direct.on.world, session(BOB), direct.id)
    assert await direct.sid(BOB) == first
    bob = direct.on.rooms.people[direct.room.name][str(BOB)]
    await direct.room.tell("track_published", slim(bob) | published(Track("TR_new", "camera", muted=False)))
    assert (await direct.on.participant(direct.id, BOB))["is_video_enabled"]
    await direct.room.leave(BOB)
    assert (await direct.standing(BOB))[0] == "disconnected"
    assert await direct.status() == ("reconnecting", None)


async def test_a_token_of_long_ago_makes_no_leave_a_lost_connection(direct: Running) -> None:
    await join_call(direct.on.world, session(BOB), direct.id)
    direct.on.clock.advance(61)
    await direct.room.leave(BOB)
    assert await direct.standing(BOB) == ("left", "user_left")
    assert await direct.status() == ("ended", "completed")


async def test_whoever_has_arrived_anew_may_leave_at_once(direct: Running) -> None:
    await join_call(direct.on.world, session(BOB), direct.id)
    await direct.room.join(BOB)
    await direct.room.leave(BOB)
    assert await direct.standing(BOB) == ("left", "user_left")


async def test_a_host_who_reloads_the_page_is_not_removed(group: Running) -> None:
    """Another one hosts meanwhile; LiveKit is told nothing, since it could put the page's new connection out."""
    group.on.rooms.asked.clear()
    await group.room.leave(ALICE)
    assert (await group.on.participant(group.id, BOB))["role"] == "host"
    assert group.on.rooms.asked["remove_participant"] == 0


async def test_kicking_who_is_lost_brings_the_others_back(group: Running) -> None:
    await group.room.leave(CAROL)
    await group.room.leave(BOB, "connection_timeout")
    assert await group.status() == ("reconnecting", None)
    await kick_participant(group.on.world, session(ALICE), group.id, (await group.on.participant(group.id, BOB))["id"])
    assert await group.status() == ("connected", None)
