"""Random rules over the tables of a call, random people, and what is done to the call while they follow it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from hypothesis import strategies as st

from permissions.expressions import And, Compare, CompareColumns, Constant, Exists, Expression, Not, Or, Related, SessionVariable
from permissions.rules import RoleRules, SelectRule
from permissions.session import USER_ID, Session
from resolvers.actions.calls.event_feed import CALL_EVENTS, CALLS, PARTICIPANTS, USERS
from schema.model import TableName
from tests.support.domain_setup import ALICE, BOB, CAROL, DAVE, MALLORY

ROLES: Final = ("user", "moderator")
KIND: Final = "x-hasura-kind"
KINDS: Final = ("call_end", "call_video_changed", "hand_raised")
PEOPLE: Final = (ALICE, BOB, CAROL, DAVE, MALLORY)
# What stands in a token for a person; of the last PostgreSQL makes no uuid.
WHO: Final = (*map(str, PEOPLE), "nobody")
ME, MY_KIND = SessionVariable(USER_ID), SessionVariable(KIND)
IN_CHANNEL = Related("channel_members", Compare("user_id", "_eq", ME))

LEAVES: Final[dict[TableName, list[Expression]]] = {
    CALLS: [
        Compare("initiator_id", "_eq", ME),
        Related("call_participants", Compare("user_id", "_eq", ME)),
        Related("channel", IN_CHANNEL),
        Related("call_events", Compare("kind", "_eq", MY_KIND)),
    ],
    CALL_EVENTS: [
        Compare("kind", "_neq", MY_KIND),
        Compare("kind", "_nin", Constant(["call_end"])),
        Compare("actor_id", "_neq", ME),
        Related("actor", Compare("username", "_neq", Constant("bob"))),
        Related("call", CompareColumns("initiator_id", "_ceq", "actor_id", of_root=True)),
    ],
    PARTICIPANTS: [Compare("user_id", "_eq", ME), Compare("user_id", "_neq", ME), Compare("status", "_neq", Constant("kicked"))],
    USERS: [
        Compare("id", "_eq", ME),
        Compare("id", "_neq", ME),
        Compare("username", "_neq", Constant("alice")),
        Exists(CALLS, Compare("initiator_id", "_eq", ME)),
    ],
}
# What may be missing. The keys stay: pages go by them.
COLUMNS: Final = {CALLS: ["status", "metadata"], CALL_EVENTS: ["payload", "created_at"], PARTICIPANTS: ["status"], USERS: ["display_name"]}


def expressions(table: TableName, depth: int = 1) -> st.SearchStrategy[Expression]:
    """Conditions on a row, through the call of an event or a participant too."""
    leaf = st.sampled_from(LEAVES[table])
    if depth == 0:
        return leaf
    deeper = expressions(table, depth - 1)
    several = st.lists(deeper, min_size=1, max_size=2).map(tuple)
    through = [] if table in (CALLS, USERS) else [expressions(CALLS, 1).map(lambda where: Related("call", where))] * 2
    return st.one_of(leaf, leaf, several.map(And), several.map(Or), deeper.map(Not), *through)


@dataclass(frozen=True, slots=True)
class Alteration:
    """Of a select rule: rows that satisfy `more` and those of the product's own rule, all, some or none of them; a column less."""

    how: str
    more: Expression
    without: str | None

    def __call__(self, own: SelectRule) -> SelectRule:
        match self.how:
            case "and":
                filter_: Expression = And((own.filter, self.more))
            case "or":
                filter_ = Or((own.filter, self.more))
            case _:
                filter_ = self.more
        return replace(own, filter=filter_, columns=own.columns - {self.without})


def _alterations(table: TableName) -> st.SearchStrategy[Alteration]:
    """The rule as it is, with more or fewer rows, or any other; seldom without a column."""
    hows = st.sampled_from(("and", "and", "or", "instead"))
    more = expressions(table)
    if table == CALL_EVENTS:
        # Without the first event nobody may follow.
        more = st.one_of(more, *[more.map(lambda one: Or((Compare("seq", "_lte", Constant(2)), one)))] * 3)
    return st.builds(Alteration, hows, more, st.one_of(*[st.none()] * 19, st.sampled_from(COLUMNS[table])))


SESSIONS: Final = st.builds(
    lambda role, who, kind: Session(role, {"x-hasura-role": role, USER_ID: who, KIND: kind}),
    st.sampled_from(("user", "user", *ROLES)),
    st.sampled_from(WHO),
    st.sampled_from(KINDS),
)

_EVENT: Final = """WITH taken AS (UPDATE nchat_call_counters SET event_seq = event_seq + 1 WHERE call_id = $1 RETURNING event_seq)
    INSERT INTO nchat_call_events (call_id, seq, kind, actor_id, payload)
    SELECT $1, event_seq, '{kind}', $2, jsonb_build_object('participantId', (
        SELECT id FROM nchat_call_participants WHERE call_id = $1 AND user_id = $2)) FROM taken"""
# Of a call `$1` and a person `$2`; the events more often than the others.
WRITES: Final = [_EVENT.format(kind=kind) for kind in KINDS] * 2 + [
    "UPDATE nchat_call_participants SET status = CASE status WHEN 'kicked' THEN 'left' ELSE 'kicked' END::participant_status "
    "WHERE call_id = $1 AND user_id = $2",
    "DELETE FROM nchat_channel_members WHERE user_id = $2 AND $1::uuid IS NOT NULL",
    "INSERT INTO nchat_channel_members (channel_id, user_id) SELECT channel_id, $2 FROM nchat_calls WHERE id = $1 ON CONFLICT DO NOTHING",
    "UPDATE nchat_calls SET initiator_id = $2 WHERE id = $1",
]

# What is followed of a call `$call`.
LIVE: Final = [
    "nchat_call_events(where: {call_id: {_eq: $call}}, order_by: {seq: asc}) { seq kind payload actor { id display_name } }",
    "nchat_call_events(where: {call_id: {_eq: $call}}, order_by: {seq: asc}) { seq call { status initiator { username } } }",
    "nchat_calls_by_pk(id: $call) { id metadata call_participants(order_by: {id: asc}) { user_id status } }",
    "nchat_calls_aggregate(where: {id: {_eq: $call}}) { aggregate { count } nodes { call_events(order_by: {seq: asc}) { seq actor_id } } }",
]
FOLLOWED: Final = (*[None] * 8, *LIVE)


@dataclass(frozen=True, slots=True)
class Phase:
    """Each begins to follow something, a live query or (None) the feed from this event on; then one statement is run for somebody."""

    begun: Sequence[tuple[str | None, int]]
    write: str
    who: UUID


@dataclass(frozen=True, slots=True)
class Scenario:
    """`altered` by role and table."""

    altered: Mapping[str, Mapping[TableName, Alteration]]
    sessions: Sequence[Session]
    phases: Sequence[Phase]

    def rules(self, own: Mapping[str, RoleRules]) -> Mapping[str, RoleRules]:
        """The product's own rules, of which those of a call's tables are altered."""
        return {role: _altered(own[role], tables) for role, tables in self.altered.items()}


def _altered(own: RoleRules, tables: Mapping[TableName, Alteration]) -> RoleRules:
    return replace(own, select={**own.select, **{table: alter(own.select[table]) for table, alter in tables.items()}})


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    """Four to six people in two phases. Two tables are altered at most, or nobody sees anything."""
    tables = st.sampled_from(((USERS,), (USERS,), (PARTICIPANTS,), (CALL_EVENTS,), (CALLS,), (CALLS, USERS), (PARTICIPANTS, CALL_EVENTS)))
    alterations = tables.flatmap(lambda some: st.fixed_dictionaries({table: _alterations(table) for table in some}))
    sessions = draw(st.lists(SESSIONS, min_size=4, max_size=6, unique_by=str))
    begun = st.lists(st.tuples(st.sampled_from(FOLLOWED), st.integers(0, 1)), min_size=len(sessions), max_size=len(sessions))
    phases = st.builds(Phase, begun, st.sampled_from(WRITES), st.sampled_from(PEOPLE))
    return Scenario({role: draw(alterations) for role in ROLES}, sessions, draw(st.lists(phases, min_size=2, max_size=2)))
