"""What is asked: one call by its key, and the fifty newest calls with their people, in GraphQL and in hand-written SQL."""

from dataclasses import dataclass

VISIBLE = """(c.initiator_id = $1
  OR EXISTS (SELECT 1 FROM nchat_call_participants p WHERE p.call_id = c.id AND p.user_id = $1)
  OR EXISTS (SELECT 1 FROM nchat_channel_members m WHERE m.channel_id = c.channel_id AND m.user_id = $1))"""


@dataclass(frozen=True, slots=True)
class Workload:
    """`sql` answers the same JSON as `query`; its parameters are the user and, with `by_id`, a call that the user sees."""

    name: str
    what: str
    query: str
    sql: str
    by_id: bool
    goal: float


ONE_CALL = Workload(
    name="W1",
    what="nchat_calls_by_pk, 10 columns",
    query="query W1($id: uuid!) { nchat_calls_by_pk(id: $id) "
    "{ id room_name room_sid channel_id initiator_id type status started_at ended_at created_at } }",
    sql=f"""SELECT json_build_object('data', json_build_object('nchat_calls_by_pk', (SELECT row_to_json(o) FROM (
      SELECT c.id, c.room_name, c.room_sid, c.channel_id, c.initiator_id, c.type, c.status, c.started_at, c.ended_at, c.created_at
      FROM nchat_calls c WHERE c.id = $2 AND {VISIBLE}) o)))""",
    by_id=True,
    goal=0.5,
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
    by_id=False,
    goal=0.9,
)

WORKLOADS = (ONE_CALL, FIFTY_CALLS)
