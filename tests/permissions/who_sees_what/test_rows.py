"""Which rows each person sees, table by table: in the list, by primary key and counted."""

from typing import Any

import pytest

from tests.permissions.who_sees_what import sample_rows
from tests.permissions.who_sees_what.conftest import Setup
from tests.permissions.who_sees_what.sample_rows import FILLED, NAMES, ROWS, id_of
from tests.support.completeness import readable, unlisted

pytestmark = pytest.mark.anyio

# The primary key by which a row is asked for, where it is not `id`.
KEYS = {
    "nchat_channel_members": ("channel_id", "user_id"),
    "nchat_user_call_settings": ("user_id",),
    "nchat_channel_call_settings": ("channel_id",),
    "nchat_call_events": ("call_id", "seq"),
    "nchat_stream_invites": ("stream_id", "user_id"),
    "nchat_stream_chat_events": ("stream_id", "seq"),
}


def alike(people: str, sees: set[str]) -> dict[str, set[str]]:
    """The same rows for several people."""
    return {who: set(sees) for who in people.split()}


SEES: dict[str, dict[str, set[str]]] = {
    "nchat_users": {
        **alike("alice bob carol dave mallory mod", sees={"alice", "bob", "carol", "dave", "mallory", "mod"}),
        # bob hosts in public, carol wrote there. mallory's message is deleted, dave's stands in a cancelled stream.
        "anonymous": {"bob", "carol"},
    },
    "nchat_channels": {"alice": {"general"}, "bob": {"general"}, "carol": {"general", "secret"}, "dave": {"secret"}},
    "nchat_channel_members": {
        **alike("alice bob", sees={"general / alice", "general / bob", "general / carol"}),
        "carol": {"general / alice", "general / bob", "general / carol", "secret / carol", "secret / dave"},
        "dave": {"secret / carol", "secret / dave"},
    },
    "nchat_user_call_settings": {"alice": {"alice"}, "mod": {"mod"}},
    "nchat_channel_call_settings": {
        **alike("alice bob", sees={"general"}),
        "carol": {"general", "secret"},
        "dave": {"secret"},
    },
    "nchat_calls": {
        "alice": {"direct", "in general", "without dave"},
        "bob": {"direct", "in general", "ended"},
        # Kicked from the one, member for the other.
        "carol": {"in general", "in secret"},
        # Kicked: it stays as history.
        "dave": {"in secret", "without dave"},
        "mallory": {"ended"},
    },
    "nchat_call_participants": {
        "alice": {"direct: alice", "direct: bob", "in general: alice", "in general: carol", "without dave: alice", "without dave: dave"},
        "bob": {"direct: alice", "direct: bob", "in general: alice", "in general: carol", "ended: bob", "ended: mallory"},
        "carol": {"in general: alice", "in general: carol", "in secret: dave"},
        "dave": {"in secret: dave", "without dave: alice", "without dave: dave"},
        "mallory": {"ended: bob", "ended: mallory"},
    },
    "nchat_call_events": {
        "alice": {"direct / 1", "in general / 1", "without dave / 1"},
        "bob": {"direct / 1", "in general / 1", "ended / 1"},
        # The feed is for those who are not kicked.
        "carol": {"in secret / 1"},
        "dave": {"in secret / 1"},
        "mallory": {"ended / 1"},
    },
    "nchat_call_recordings": {
        # alice is banned from the public stream; the members' she may see.
        "alice": {"direct, ready", "in general, ready", "without dave, recording", "members, ready"},
        # A member of the channel who was not in the call does not see its recording; a host sees it before it is ready.
        "bob": {"direct, ready", "ended, ready", "public, ready", "public, processing", "members, ready"},
        "carol": {"public, ready", "secret, ready"},
        "dave": {"public, ready", "secret, ready"},
        # Rung and never joined.
        "mallory": {"public, ready"},
        "mod": {"public, ready", "members, ready", "secret, ready"},
    },
    "nchat_call_recording_parts": {
        "alice": {"part of direct", "track of direct"},
        "bob": {"part of direct", "track of direct", "part of public"},
        **alike("carol dave mallory mod", sees={"part of public"}),
    },
    "nchat_streams": {
        "alice": {"cancelled stream", "members stream"},
        "bob": {"public stream", "cancelled stream", "members stream", "invited stream"},
        "carol": {"public stream", "cancelled stream", "secret stream"},
        "dave": {"public stream", "cancelled stream", "secret stream"},
        "mallory": {"public stream", "cancelled stream", "invited stream"},
        "mod": {"public stream", "cancelled stream", "members stream", "invited stream", "secret stream"},
        "anonymous": {"public stream"},
    },
    "nchat_stream_viewers": {
        "alice": {"alice watching"},
        "bob": {"carol watching", "somebody watching", "alice watching"},
        "carol": {"carol watching"},
    },
    "nchat_stream_chat": {
        "alice": {"cancelled 1", "members 1"},
        "bob": {"public 1", "public 2, deleted", "public 3", "cancelled 1", "members 1"},
        **alike("carol dave", sees={"public 1", "public 3", "cancelled 1", "secret 1"}),
        # Not even the own message once it is deleted.
        "mallory": {"public 1", "public 3", "cancelled 1"},
        "mod": {"public 1", "public 2, deleted", "public 3", "cancelled 1", "members 1", "secret 1"},
        "anonymous": {"public 1", "public 3"},
    },
    "nchat_stream_reactions": {
        "alice": {"alice's like"},
        "bob": {"alice's like", "carol's clap"},
        **alike("carol dave mallory", sees={"carol's clap"}),
        "mod": {"alice's like", "carol's clap"},
    },
    "nchat_stream_destinations": {"bob": {"bob's youtube"}, "dave": {"dave's twitch"}},
    "nchat_stream_invites": {
        "bob": {"invited stream / mallory", "members stream / mallory"},
        "mallory": {"invited stream / mallory", "members stream / mallory"},
    },
    "nchat_stream_bans": alike("bob mod", sees={"ban of alice", "lifted ban of mallory", "ban of carol"}),
}
COUNTED = {
    "nchat_calls", "nchat_call_participants", "nchat_call_recordings",
    "nchat_streams", "nchat_stream_chat", "nchat_stream_reactions", "nchat_stream_viewers",
    "nchat_users", "nchat_channels", "nchat_channel_members",
}  # fmt: skip
# A stranger gets list and row of these alone; of reactions only how many, which has a test of its own.
STRANGERS_SEE = {"nchat_users", "nchat_streams", "nchat_stream_chat"}
STRANGERS_DO_NOT_COUNT = {"nchat_users"}
STRANGERS_COUNT = {"nchat_stream_reactions"}
CASES = [
    (who, table)
    for table in SEES
    for who in ("alice", "bob", "carol", "dave", "mallory", "mod", "anonymous")
    if who != "anonymous" or table in STRANGERS_SEE
]


def label(table: str, row: dict[str, Any]) -> str:
    """The sample's name of a row."""
    return " / ".join(str(NAMES.get(str(row[column]), row[column])) for column in KEYS.get(table, ("id",)))


def all_rows(table: str) -> set[str]:
    if table == "nchat_call_events":
        return {f"{call['id']} / 1" for call in ROWS["nchat_calls"]}
    return {" / ".join(str(row[column]) for column in KEYS.get(table, ("id",))) for row in ROWS[table]}


def by_pk(table: str, name: str) -> str:
    columns = KEYS.get(table, ("id",))
    parts = [part if part.isdigit() else f'"{id_of(part)}"' for part in name.split(" / ")]
    arguments = ", ".join(f"{column}: {part}" for column, part in zip(columns, parts, strict=True))
    return f"{table}_by_pk({arguments}) {{ {columns[0]} }}"


async def test_every_tracked_table_has_rows(setup: Setup) -> None:
    tracked = {table.name.name for table in setup.resolved.catalog}
    unknown = unlisted(tracked, ROWS.keys() | FILLED, "ROWS", sample_rows.__name__)
    assert not unknown, "\n".join(unknown)
    data = await setup.data("admin", f"{{ {' '.join(f'{table}(limit: 1) {{ __typename }}' for table in tracked)} }}")
    assert [table for table, rows in data.items() if not rows] == []


async def test_every_table_that_a_role_reads_is_known(setup: Setup) -> None:
    people = [rules for role, rules in setup.granted.items() if role != "anonymous"]
    aggregated = {table.name for rules in people for table, rule in rules.select.items() if rule.allow_aggregations}
    keys = {table for table in readable(*people) if setup.tracked(table).primary_key != ("id",)}
    unknown = [
        *unlisted(readable(*setup.granted.values()), SEES, "SEES", __name__),
        *unlisted(readable(setup.resolved.rules("anonymous")), STRANGERS_SEE | STRANGERS_COUNT, "STRANGERS_SEE", __name__),
        *unlisted(aggregated, COUNTED, "COUNTED", __name__),
        *unlisted(keys, KEYS, "KEYS", __name__),
    ]
    assert not unknown, "\n".join(unknown)


@pytest.mark.parametrize("table", SEES)
def test_somebody_sees_a_row(table: str) -> None:
    assert any(SEES[table].values()), f"nobody sees a row of {table}: its rule lets none of the sample rows through"


@pytest.mark.parametrize(("who", "table"), CASES, ids=[f"{who}-{table}" for who, table in CASES])
async def test_rows(setup: Setup, who: str, table: str) -> None:
    sees = SEES[table].get(who, set())
    keys = " ".join(KEYS.get(table, ("id",)))
    may_count = table in COUNTED and not (who == "anonymous" and table in STRANGERS_DO_NOT_COUNT)
    counted = f"counted: {table}_aggregate {{ aggregate {{ count }} }}" if may_count else ""
    names = sorted(all_rows(table))
    single = " ".join(f"row{number}: {by_pk(table, name)}" for number, name in enumerate(names))
    data = await setup.data(who, f"{{ {table} {{ {keys} }} {counted} {single} }}")
    assert {label(table, row) for row in data[table]} == sees
    assert len(data[table]) == len(sees)
    assert {name for number, name in enumerate(names) if data[f"row{number}"] is not None} == sees
    if counted:
        assert data["counted"]["aggregate"]["count"] == len(sees)


@pytest.mark.parametrize("table", ROWS)
async def test_admin_sees_every_row(setup: Setup, table: str) -> None:
    data = await setup.data("admin", f"{{ {table} {{ __typename }} {table}_aggregate {{ aggregate {{ count }} }} }}")
    assert len(data[table]) == data[f"{table}_aggregate"]["aggregate"]["count"] == len(ROWS[table])


async def test_a_stranger_counts_public_reactions_only(setup: Setup) -> None:
    data = await setup.data(
        "anonymous", "{ nchat_stream_reactions { stream_id type } nchat_stream_reactions_aggregate { aggregate { count } } }"
    )
    assert [row["type"] for row in data["nchat_stream_reactions"]] == ["clap"]
    assert data["nchat_stream_reactions_aggregate"]["aggregate"]["count"] == 1


async def test_a_hidden_row_hides_behind_a_relationship(setup: Setup) -> None:
    query = """{
        nchat_stream_chat_by_pk(id: "%s") { reply_to { content } }
        nchat_users_by_pk(id: "%s") { stream_chats { content } hosted_streams { title } }
    }"""
    data = await setup.data("carol", query % (id_of("public 3"), id_of("mallory")))
    assert data == {"nchat_stream_chat_by_pk": {"reply_to": None}, "nchat_users_by_pk": {"stream_chats": [], "hosted_streams": []}}
    data = await setup.data("bob", query % (id_of("public 3"), id_of("mallory")))
    assert data["nchat_stream_chat_by_pk"] == {"reply_to": {"content": "public 2, deleted"}}


@pytest.mark.parametrize("who", ["alice", "carol", "dave", "mallory", "mod"])
async def test_a_condition_cannot_probe_what_is_hidden(setup: Setup, who: str) -> None:
    where = '{ nchat_users(where: { channel_memberships: { channel_id: { _eq: "%s" } } }) { username } }'
    data = await setup.data(who, where % id_of("secret"))
    assert {row["username"] for row in data["nchat_users"]} == ({"carol", "dave"} if who in ("carol", "dave") else set())


async def test_at_most_500_messages_and_events_at_once(setup: Setup) -> None:
    for role in ("user", "moderator"):
        rules = setup.resolved.rules(role).select
        assert {table.name: rule.limit for table, rule in rules.items() if rule.limit} == {
            "nchat_stream_chat": 500,
            "nchat_call_events": 500,
        }
    anonymous = setup.resolved.rules("anonymous").select
    assert {table.name: rule.limit for table, rule in anonymous.items() if rule.limit} == {"nchat_stream_chat": 500}
