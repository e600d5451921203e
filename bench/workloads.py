"""What is asked: one call by its key, the fifty newest calls with their people, and a hundred messages of a stream.

In GraphQL, in hand-written SQL, and in the GraphQL that PostGraphile makes of the same tables.
"""

from dataclasses import dataclass

VISIBLE = """(c.initiator_id = $1
  OR EXISTS (SELECT 1 FROM nchat_call_participants p WHERE p.call_id = c.id AND p.user_id = $1)
  OR EXISTS (SELECT 1 FROM nchat_channel_members m WHERE m.channel_id = c.channel_id AND m.user_id = $1))"""
STREAM_VISIBLE = """(s.visibility = 'public' OR s.host_id = $1 OR (s.visibility = 'channel_members'
  AND EXISTS (SELECT 1 FROM nchat_channel_members m WHERE m.channel_id = s.channel_id AND m.user_id = $1)))"""


@dataclass(frozen=True, slots=True)
class Workload:
    """`sql` answers the same JSON as `query`; its parameters are the user and, where one is asked for by id, that.

    `by_id` finds ids for a user that they see or not: $1 is the user, $2 how many. `peer` is PostGraphile's query.
    """

    name: str
    what: str
    query: str
    sql: str
    peer: str
    goal: float
    by_id: tuple[str, ...] = ()


ONE_CALL = Workload(
    name="W1",
    what="nchat_calls_by_pk, 10 columns",
    query="query W1($id: uuid!) { nchat_calls_by_pk(id: $id) "
    "{ id room_name room_sid channel_id initiator_id type status started_at ended_at created_at } }",
    sql=f"""SELECT json_build_object('data', json_build_object('nchat_calls_by_pk', (SELECT row_to_json(o) FROM (
      SELECT c.id, c.room_name, c.room_sid, c.channel_id, c.initiator_id, c.type, c.status, c.started_at, c.ended_at, c.created_at
      FROM nchat_calls c WHERE c.id = $2 AND {VISIBLE}) o)))""",
    peer="query W1($id: UUID!) { nchatCallByRowId(rowId: $id) "
    "{ rowId roomName roomSid channelId initiatorId type status startedAt endedAt createdAt } }",
    # Every third question is for a call that the user may not see, drawn from all.
    by_id=(
        "SELECT call_id AS id FROM nchat_call_participants WHERE user_id = $1 ORDER BY id LIMIT $2",
        "SELECT id FROM nchat_calls ORDER BY md5(id::text || $1) LIMIT $2 / 2",
    ),
    goal=0.9,
)

FIFTY_CALLS = Workload(
    name="W2",
    what="50 newest calls with participants and users",
    query="query W2 { nchat_calls(limit: 50, order_by: {created_at: desc}) { id room_name type status channel_id initiator_id "
    "created_at ended_at call_participants { user_id status joined_at user { id username display_name } } } }",
    sql=f"""SELECT json_build_object('data', json_build_object('nchat_calls', coalesce(json_agg(row_to_json(o)), '[]'))) FROM (
      SELECT c.id, c.room_name, c.type, c.status, c.channel_id, c.initiator_id, c.created_at, c.ended_at, pp.j AS call_participants
      FROM (SELECT * FROM nchat_calls c WHERE {VISIBLE} ORDER BY c.created_at DESC LIMIT 50) c
      LEFT JOIN LATERAL (SELECT coalesce(json_agg(row_to_json(q)), '[]') j FROM (
        SELECT p.user_id, p.status, p.joined_at, (SELECT row_to_json(r) FROM (SELECT u.id, u.username, u.display_name) r) AS "user"
        FROM nchat_call_participants p JOIN nchat_users u ON u.id = p.user_id WHERE p.call_id = c.id) q) pp ON true
      ORDER BY c.created_at DESC) o""",
    peer="query W2 { allNchatCalls(first: 50, orderBy: [CREATED_AT_DESC]) { nodes { rowId roomName type status channelId initiatorId "
    "createdAt endedAt nchatCallParticipantsByCallId { nodes { userId status joinedAt "
    "nchatUserByUserId { rowId username displayName } } } } } }",
    goal=1.5,
)

HUNDRED_MESSAGES = Workload(
    name="W3",
    what="the last 100 messages of a stream with their authors",
    query="query W3($id: uuid!) { nchat_stream_chat(where: {stream_id: {_eq: $id}}, limit: 100, order_by: {created_at: desc}) "
    "{ id content created_at user { username avatar_url } } }",
    sql=f"""SELECT json_build_object('data', json_build_object('nchat_stream_chat', coalesce(json_agg(row_to_json(o)), '[]'))) FROM (
      SELECT k.id, k.content, k.created_at, (SELECT row_to_json(r) FROM (SELECT u.username, u.avatar_url) r) AS "user"
      FROM (SELECT * FROM nchat_stream_chat k WHERE k.stream_id = $2
        AND EXISTS (SELECT 1 FROM nchat_streams s WHERE s.id = k.stream_id AND {STREAM_VISIBLE}) ORDER BY k.created_at DESC LIMIT 100) k
      JOIN nchat_users u ON u.id = k.user_id ORDER BY k.created_at DESC) o""",
    peer="query W3($id: UUID!) { allNchatStreamChats(condition: {streamId: $id}, first: 100, orderBy: [CREATED_AT_DESC]) "
    "{ nodes { rowId content createdAt nchatUserByUserId { username avatarUrl } } } }",
    # Two of three are for everybody.
    by_id=("SELECT id FROM nchat_streams ORDER BY md5(id::text || $1) LIMIT $2",),
    goal=0.9,
)

WORKLOADS = (ONE_CALL, FIFTY_CALLS, HUNDRED_MESSAGES)
