"""Which columns each role reads: exactly these, and every other column of the table is refused by name."""

import pytest

from tests.permissions.who_sees_what.conftest import Setup
from tests.permissions.who_sees_what.sample_rows import session
from tests.support.completeness import readable, unlisted
from tests.support.refusals import code_in

pytestmark = pytest.mark.anyio

USER = {
    "nchat_users": "id username display_name avatar_url",
    "nchat_channels": "id name",
    "nchat_channel_members": "channel_id user_id role",
    "nchat_user_call_settings": "user_id dnd_until ring_from",
    "nchat_channel_call_settings": "channel_id auto_record recording_consent visible_blocked_terms",
    "nchat_calls": "id room_name room_sid channel_id initiator_id type status scheduled_at started_at connected_at ended_at end_reason"
    " max_participants e2ee lobby single_sharer auto_record recording_consent"
    " ring_timeout_seconds client_request_id metadata created_at updated_at"
    " duration is_recording is_streaming calendar_url",
    "nchat_call_participants": "id call_id user_id participant_sid role status invited_at joined_at left_at leave_reason is_muted"
    " is_video_enabled is_screen_sharing connection_quality hand_raised_at lobby_waiting_since consented_at metadata",
    "nchat_call_events": "call_id seq kind actor_id payload created_at",
    "nchat_call_recordings": "id call_id stream_id started_by title status type layout resolution file_size file_reason join_progress"
    " duration gaps source_recording_id clip_from clip_to clip_progress started_at media_started_at ended_at"
    " expires_at legal_hold error_message created_at updated_at url playlist_url thumbnail_url storyboard_url",
    "nchat_call_recording_parts": "id recording_id index kind user_id track_kind status media_started_at duration file_size error_message"
    " url playlist_url",
    "nchat_streams": "id channel_id host_id call_id room_name room_sid title description visibility status hls_url dash_url chat_enabled"
    " reactions_enabled slow_mode_seconds record_stream viewer_count peak_viewers total_views total_reactions scheduled_at started_at"
    " ended_at recording_id client_request_id metadata created_at updated_at duration playback_url embed_code calendar_url",
    "nchat_stream_viewers": "id stream_id user_id joined_at left_at watch_duration device_type connection_quality",
    "nchat_stream_chat": "id stream_id user_id seq content reply_to_id is_pinned is_highlighted is_deleted deleted_by client_message_id"
    " created_at media_seconds",
    "nchat_stream_reactions": "id stream_id user_id type created_at",
    "nchat_stream_destinations": "id stream_id platform rtmp_url enabled status error_message created_at",
    "nchat_stream_invites": "stream_id user_id invited_by created_at",
    "nchat_stream_bans": "id stream_id user_id banned_by reason expires_at lifted_at created_at",
}
ANONYMOUS = {
    "nchat_users": "id username display_name avatar_url",
    "nchat_streams": "id channel_id host_id title description visibility status hls_url dash_url chat_enabled reactions_enabled"
    " slow_mode_seconds record_stream viewer_count peak_viewers total_views total_reactions scheduled_at started_at ended_at created_at"
    " updated_at duration playback_url embed_code",
    "nchat_stream_chat": "id stream_id user_id seq content reply_to_id is_pinned is_highlighted is_deleted created_at media_seconds",
    "nchat_stream_reactions": "stream_id type",
}
READS = {"alice": USER, "mod": USER, "anonymous": ANONYMOUS}
RELATIONSHIPS = {
    "nchat_users": "channel_memberships hosted_streams stream_chats",
    "nchat_channels": "channel_members",
    "nchat_channel_members": "channel user",
    "nchat_user_call_settings": "user",
    "nchat_channel_call_settings": "channel",
    "nchat_calls": "call_events call_participants channel initiator recordings",
    "nchat_call_participants": "call user",
    "nchat_call_events": "actor call",
    "nchat_call_recordings": "call parts stream",
    "nchat_call_recording_parts": "recording user",
    "nchat_streams": "bans call channel chat destinations host invites reactions recording viewers",
    "nchat_stream_viewers": "stream user",
    "nchat_stream_chat": "replies reply_to stream user",
    "nchat_stream_reactions": "stream user",
    "nchat_stream_destinations": "stream",
    "nchat_stream_invites": "stream user",
    "nchat_stream_bans": "stream user",
}
# Named here once more, so that nobody lists one of them by mistake.
NOBODY_READS = {
    "nchat_channel_call_settings": {"blocked_terms"},
    "nchat_calls": {"status_since", "room_closed_at", "auto_recorded_at"},
    "nchat_call_participants": {"status_since", "screen_share_asked_at", "rejoining_since"},
    "nchat_call_recordings": {"egress_id", "file_path", "storage_bucket", "thumbnail_path", "metadata", "status_since", "custom_layout"}
    | {"keep", "tier", "consent_asked_at", "pause_asked_at", "delete_asked_at", "next_work_at", "work_taken_until", "work_attempts"}
    | {"join_tries"},
    "nchat_call_recording_parts": {"egress_id", "file_path", "path_prefix", "track_sid", "segments", "created_at", "ended_at", "on_cdn"}
    | {"narrowed_at", "late_prefix", "late_from", "moved_to", "late_look_at"},
    "nchat_streams": {"rtmp_ingest_url", "room_closed_at", "status_since", "senders", "host_sid", "host_gone_since", "reminded_at"},
    "nchat_stream_viewers": {"session_id", "role", "seen_at", "webrtc", "out_of_room_at", "out_tries", "out_next_at"},
    "nchat_stream_destinations": {"stream_key_encrypted"},
}
CASES = [(who, table) for who, reads in READS.items() for table in reads]


async def test_every_table_that_a_role_reads_is_known(setup: Setup) -> None:
    reads = {session(who).role: listed for who, listed in READS.items()}
    unknown = unlisted(readable(*setup.granted.values()), RELATIONSHIPS, "RELATIONSHIPS", __name__)
    for role, rules in setup.granted.items():
        unknown += unlisted(readable(rules), reads.get(role, {}), f"READS, for {role},", __name__)
    assert not unknown, "\n".join(unknown)


@pytest.mark.parametrize(("who", "table"), CASES, ids=[f"{who}-{table}" for who, table in CASES])
async def test_columns(setup: Setup, who: str, table: str) -> None:
    reads = set(READS[who][table].split())
    related = {name for name in RELATIONSHIPS.get(table, "").split() if target(setup, table, name) in READS[who]}
    kinds = await fields(setup, who, table)
    offered = {name for name in kinds if not name.endswith("_aggregate")}
    assert offered == reads | related, f"fields of {table} that are not as listed: {sorted(offered ^ (reads | related))}"
    await setup.data(who, f"{{ {table} {{ {' '.join(sorted(reads))} }} }}")
    hidden = set(setup.tracked(table).columns) - reads
    assert hidden >= NOBODY_READS.get(table, set())
    for column in hidden:
        await refused(setup, who, f"{{ {table} {{ {column} }} }}")
        await refused(setup, who, f"{{ {table}(where: {{ {column}: {{ _is_null: true }} }}) {{ __typename }} }}")
        await refused(setup, who, f"{{ {table}(order_by: {{ {column}: asc }}) {{ __typename }} }}")
        await refused(setup, who, f"{{ {table}(distinct_on: {column}) {{ __typename }} }}")


@pytest.mark.parametrize("who", READS)
async def test_tables(setup: Setup, who: str) -> None:
    """What is in no list is not in the schema: neither as a root field nor as a type."""
    for tracked in setup.resolved.catalog:
        table = tracked.name.name
        if table not in READS[who]:
            assert await fields(setup, who, table) == set(), f"{who} reads {table}, which READS does not list"
            for root in (table, f"{table}_aggregate", f"{table}_by_pk"):
                await refused(setup, who, f"{{ {root} {{ __typename }} }}")


async def fields(setup: Setup, who: str, table: str) -> set[str]:
    data = await setup.data(who, f'{{ __type(name: "{table}") {{ fields {{ name }} }} }}')
    return {field["name"] for field in data["__type"]["fields"]} if data["__type"] else set()


async def refused(setup: Setup, who: str, query: str) -> None:
    assert code_in(await setup.ask(who, query), f"{who} asked {query}") == "validation-failed", query


def target(setup: Setup, table: str, relationship: str) -> str:
    relationships = setup.tracked(table).relationships
    assert relationship in relationships, f"{table} has no relationship {relationship} any more; RELATIONSHIPS names it"
    return relationships[relationship].target.name
