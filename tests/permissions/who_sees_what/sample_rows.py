"""One world in which every rule of the metadata has a row it lets through and one it holds back. Rows have names, ids follow from them."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID, uuid5

from permissions.session import USER_ID, Session

NAMESPACE: Final = UUID("00000000-0000-4000-8000-00000000f00d")
PEOPLE: Final = ("alice", "bob", "carol", "dave", "mallory", "mod")


def id_of(name: str) -> UUID:
    """The id of the row with this name, whatever its table."""
    return uuid5(NAMESPACE, name)


def session(who: str) -> Session:
    """alice to mallory have role user, mod is a moderator; `anonymous` has no variable, `admin` all rights."""
    role = {"anonymous": "anonymous", "admin": "admin", "mod": "moderator"}.get(who, "user")
    variables: Mapping[str, str] = {USER_ID: str(id_of(who))} if who in PEOPLE else {}
    return Session(role, {"x-hasura-role": role, **variables})


# Values are names of rows where the column is a uuid; text stays text. The order is that of the foreign keys.
ROWS: Final[Mapping[str, tuple[dict[str, object], ...]]] = {
    "nchat_users": tuple({"id": name, "username": name} for name in PEOPLE),
    "nchat_channels": ({"id": "general", "name": "general"}, {"id": "secret", "name": "secret"}),
    "nchat_channel_members": tuple(
        {"channel_id": channel, "user_id": user}
        for channel, users in {"general": ("alice", "bob", "carol"), "secret": ("carol", "dave")}.items()
        for user in users
    ),
    "nchat_user_call_settings": ({"user_id": "alice", "ring_from": "nobody"}, {"user_id": "mod", "dnd_until": "2026-01-01 10:00+00"}),
    "nchat_channel_call_settings": (
        {"channel_id": "general", "auto_record": "first", "blocked_terms": "{spam}"},
        {"channel_id": "secret", "recording_consent": "ask"},
    ),
    "nchat_calls": (
        {"id": "direct", "initiator_id": "alice", "type": "video", "status": "connected"},
        {"id": "in general", "initiator_id": "alice", "channel_id": "general", "type": "audio", "status": "connected"},
        {"id": "in secret", "initiator_id": "dave", "channel_id": "secret", "type": "audio", "status": "connected"},
        {"id": "ended", "initiator_id": "bob", "type": "audio", "status": "ended"},
        {"id": "without dave", "initiator_id": "alice", "type": "audio", "status": "connected"},
    ),
    "nchat_call_participants": tuple(
        {
            "id": f"{call}: {user}",
            "call_id": call,
            "user_id": user,
            "status": status,
            "joined_at": "2026-01-01 10:00+00" if joined else None,
        }
        for call, user, status, joined in (
            ("direct", "alice", "connected", True),
            ("direct", "bob", "connected", True),
            ("in general", "alice", "connected", True),
            ("in general", "carol", "kicked", True),
            ("in secret", "dave", "connected", True),
            ("ended", "bob", "connected", True),
            ("ended", "mallory", "left", False),
            ("without dave", "alice", "connected", True),
            ("without dave", "dave", "kicked", True),
        )
    ),
    "nchat_streams": tuple(
        {"id": f"{name} stream", "channel_id": channel, "host_id": host, "title": name, "visibility": visibility, "status": status}
        for name, channel, host, visibility, status in (
            ("public", "general", "bob", "public", "live"),
            ("cancelled", "general", "bob", "public", "cancelled"),
            ("members", "general", "bob", "channel_members", "live"),
            ("invited", "general", "bob", "invite_only", "live"),
            ("secret", "secret", "dave", "channel_members", "live"),
        )
    ),
    "nchat_stream_invites": (
        {"stream_id": "invited stream", "user_id": "mallory", "invited_by": "bob"},
        # An invitation opens nothing that is for members.
        {"stream_id": "members stream", "user_id": "mallory", "invited_by": "bob"},
    ),
    "nchat_stream_bans": (
        {"id": "ban of alice", "stream_id": "public stream", "user_id": "alice", "banned_by": "bob", "lifted_at": None},
        {
            "id": "lifted ban of mallory",
            "stream_id": "public stream",
            "user_id": "mallory",
            "banned_by": "bob",
            "lifted_at": "2026-01-01 10:00+00",
        },
        {"id": "ban of carol", "stream_id": "members stream", "user_id": "carol", "banned_by": "bob", "lifted_at": None},
    ),
    "nchat_stream_chat": tuple(
        {"id": name, "stream_id": stream, "user_id": user, "seq": seq, "content": name, "is_deleted": deleted, "reply_to_id": reply}
        for name, stream, user, seq, deleted, reply in (
            ("public 1", "public stream", "carol", "1", "false", None),
            ("public 2, deleted", "public stream", "mallory", "2", "true", None),
            ("public 3", "public stream", "bob", "3", "false", "public 2, deleted"),
            ("cancelled 1", "cancelled stream", "dave", "1", "false", None),
            ("members 1", "members stream", "alice", "1", "false", None),
            ("secret 1", "secret stream", "dave", "1", "false", None),
        )
    ),
    "nchat_stream_chat_events": ({"stream_id": "public stream", "seq": "4", "kind": "deleted", "message_id": "public 2, deleted"},),
    "nchat_stream_reactions": (
        {"id": "carol's clap", "stream_id": "public stream", "user_id": "carol", "type": "clap"},
        {"id": "alice's like", "stream_id": "members stream", "user_id": "alice", "type": "like"},
    ),
    "nchat_stream_viewers": (
        {"id": "carol watching", "stream_id": "public stream", "user_id": "carol", "session_id": "hash 1"},
        {"id": "somebody watching", "stream_id": "public stream", "user_id": None, "session_id": "hash 2"},
        {"id": "alice watching", "stream_id": "members stream", "user_id": "alice", "session_id": "hash 3"},
    ),
    "nchat_stream_destinations": (
        {"id": "bob's youtube", "stream_id": "public stream", "platform": "youtube", "rtmp_url": "rtmp://a", "stream_key_encrypted": "key"},
        {"id": "dave's twitch", "stream_id": "secret stream", "platform": "twitch", "rtmp_url": "rtmp://b", "stream_key_encrypted": "key"},
    ),
    "nchat_call_recordings": tuple(
        {"id": f"{source}, {status}", "call_id": call, "stream_id": stream, "status": status, "keep": str(source != "passing").lower()}
        for source, call, stream, status in (
            ("direct", "direct", None, "ready"),
            ("direct", "direct", None, "deleted"),
            ("in general", "in general", None, "ready"),
            ("ended", "ended", None, "ready"),
            ("without dave", "without dave", None, "recording"),
            ("public", None, "public stream", "ready"),
            ("public", None, "public stream", "processing"),
            ("members", None, "members stream", "ready"),
            ("secret", None, "secret stream", "ready"),
            # Not kept beyond its stream: nobody sees it as a recording.
            ("passing", None, "public stream", "ready"),
        )
    ),
    "nchat_call_recording_parts": (
        {"id": "part of direct", "recording_id": "direct, ready", "index": "0", "path_prefix": "secret/", "status": "ready"},
        {
            "id": "track of direct",
            "recording_id": "direct, ready",
            "index": "1",
            "kind": "track",
            "user_id": "alice",
            "track_kind": "camera",
            "status": "ready",
        },
        {"id": "deleted part of direct", "recording_id": "direct, ready", "index": "2", "status": "deleted"},
        {"id": "part of a deleted recording", "recording_id": "direct, deleted", "index": "0", "status": "ready"},
        {"id": "part of public", "recording_id": "public, ready", "index": "0", "status": "ready"},
        {"id": "part of a passing recording", "recording_id": "passing, ready", "index": "0", "status": "ready"},
    ),
    "nchat_event_outbox": ({"id": "card", "kind": "recording_finished", "recording_id": "direct, ready", "payload": "{}"},),
    "nchat_ice_servers": ({"id": "ice server", "urls": "{stun:a}", "credential_encrypted": "sealed"},),
    "nchat_webhook_events": ({"id": "EV_1", "event": "room_started", "payload": "{}"},),
    "nchat_push_outbox": (
        {
            "id": "push",
            "user_id": "alice",
            "kind": "ring",
            "transport": "voip",
            "payload": "{}",
            "collapse_id": "direct",
            "expires_at": "2026-01-01T00:00:00Z",
        },
    ),
}
# Tables whose rows come by themselves: a trigger notes the beginning of each call, a migration writes the policies.
FILLED: Final = frozenset({"nchat_call_events", "nchat_retention_policies"})
NAMES: Final = {str(id_of(str(row["id"]))): str(row["id"]) for rows in ROWS.values() for row in rows if "id" in row}
