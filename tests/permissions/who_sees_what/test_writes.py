"""Who writes what through the table fields; every refusal leaves all tables as they were."""

import json
from typing import Any

import asyncpg
import pytest

from tests.permissions.who_sees_what.conftest import Setup
from tests.permissions.who_sees_what.sample_rows import NAMES, id_of, session
from tests.support.completeness import touchable, unlisted
from tests.support.dump import dump
from tests.support.refusals import code_in

pytestmark = pytest.mark.anyio

# Which columns user and moderator give when they insert or update, for each table that a role reads or writes.
WRITES: dict[str, dict[str, str]] = {
    "nchat_calls": {"insert": "channel_id type scheduled_at metadata"},
    "nchat_call_participants": {"update": "metadata"},
    "nchat_streams": {"update": "title description visibility chat_enabled reactions_enabled slow_mode_seconds"},
    # Only read.
    **{table: {} for table in (
        "nchat_users", "nchat_channels", "nchat_channel_members", "nchat_user_call_settings", "nchat_channel_call_settings",
        "nchat_call_events", "nchat_call_recordings", "nchat_call_recording_parts",
        "nchat_stream_viewers", "nchat_stream_chat", "nchat_stream_reactions",
        "nchat_stream_destinations", "nchat_stream_invites", "nchat_stream_bans",
    )},
}  # fmt: skip
WRITERS = {"alice": WRITES, "mod": WRITES, "anonymous": {}}
INPUTS = {"insert": "insert_input", "update": "set_input"}
ROOTS = {
    "insert": ("insert_{}", "insert_{}_one"),
    "update": ("update_{}", "update_{}_by_pk", "update_{}_many"),
    "delete": ("delete_{}", "delete_{}_by_pk"),
}
# Each operation at its emptiest.
EMPTY = {
    "insert": ("insert_{}(objects: [])",),
    "update": ("update_{}(where: {{}}, _set: {{}})", "update_{}_many(updates: [])"),
    "delete": ("delete_{}(where: {{}})",),
}
NEW_CALL = "mutation ($call: nchat_calls_insert_input!) { insert_nchat_calls_one(object: $call) { id initiator_id status channel_id } }"
OWN_NOTE = "mutation ($id: uuid!) { update_nchat_call_participants_by_pk(pk_columns: {id: $id}, _set: {metadata: {note: 1}}) { user_id } }"
NOTES = "mutation { update_nchat_call_participants(where: {}, _set: {metadata: {note: 1}}) { affected_rows } }"
TITLE = 'mutation ($id: uuid!) { update_nchat_streams_by_pk(pk_columns: {id: $id}, _set: {title: "New"}) { title } }'
MANY = 'mutation { update_nchat_streams_many(updates: [{where: {}, _set: {title: "Newer"}}]) { affected_rows } }'
TITLES = 'mutation { update_nchat_streams(where: {}, _set: {title: "New"}) { affected_rows } }'


async def unchanged(setup: Setup, who: str, query: str, **variables: Any) -> dict[str, Any]:
    """The response, after making sure that it wrote nothing."""
    before = await dump(setup.url)
    response = await setup.ask(who, query, **variables)
    assert await dump(setup.url) == before, f"{who} wrote by {query} with {variables}\nthe answer: {response}"
    return response


async def refused(setup: Setup, who: str, query: str, **variables: Any) -> str:
    """The code of a refusal that wrote nothing."""
    return code_in(await unchanged(setup, who, query, **variables), f"{who} asked {query} with {variables}")


async def test_every_table_that_a_role_reads_or_writes_is_known(setup: Setup) -> None:
    unknown = unlisted(touchable(*setup.granted.values()), WRITES, "WRITES", __name__)
    assert not unknown, "\n".join(unknown)
    assert {session(who).role for who in WRITERS} == setup.granted.keys(), "a role without a person in WRITERS"


@pytest.mark.parametrize("who", WRITERS)
async def test_the_writes_that_a_role_has(setup: Setup, who: str) -> None:
    data = await setup.data(who, "{ __schema { mutationType { fields { name } } } }")
    mutation = data["__schema"]["mutationType"]
    offered = {field["name"] for field in mutation["fields"]} if mutation else set()
    listed = {root.format(table) for table, writes in WRITERS[who].items() for operation in writes for root in ROOTS[operation]}
    assert {name for name in offered if "nchat_" in name} == listed


@pytest.mark.parametrize("table", WRITES)
@pytest.mark.parametrize("who", WRITERS)
async def test_the_columns_that_a_role_writes(setup: Setup, who: str, table: str) -> None:
    writes = WRITERS[who].get(table, {})
    for operation, suffix in INPUTS.items():
        data = await setup.data(who, f'{{ __type(name: "{table}_{suffix}") {{ inputFields {{ name type {{ name }} }} }} }}')
        fields = data["__type"]["inputFields"] if data["__type"] else []
        # Rows of other tables may come with a row; what of them a role writes is listed for them.
        offered = {field["name"] for field in fields if not (field["type"]["name"] or "").endswith("_rel_insert_input")}
        assert offered == set(writes.get(operation, "").split()), f"{who} may {operation} other columns of {table} than listed"


@pytest.mark.parametrize(("who", "channel"), [("mallory", None), ("mod", None), ("alice", "general"), ("dave", "secret")])
async def test_a_call_of_ones_own(own_setup: Setup, who: str, channel: str | None) -> None:
    call = {"type": "audio"} | ({"channel_id": str(id_of(channel))} if channel else {})
    row = (await own_setup.data(who, NEW_CALL, call=call))["insert_nchat_calls_one"]
    assert (NAMES[row["initiator_id"]], row["status"], NAMES.get(row["channel_id"] or "")) == (who, "initiated", channel)
    query = "query ($id: uuid!) { nchat_call_events(where: {call_id: {_eq: $id}}) { seq kind actor { username } } }"
    events = (await own_setup.data(who, query, id=row["id"]))["nchat_call_events"]
    assert events == [{"seq": 1, "kind": "call_initiate", "actor": {"username": who}}]


@pytest.mark.parametrize("who", ["alice", "mallory", "mod"])
async def test_a_hidden_channel_and_none_are_the_same(setup: Setup, who: str) -> None:
    answers = [
        await unchanged(setup, who, NEW_CALL, call={"type": "audio", "channel_id": str(id_of(channel))})
        for channel in ("secret", "none such")
    ]
    assert [code_in(answer, f"{who} asked {NEW_CALL}") for answer in answers] == ["permission-error"] * 2
    assert json.dumps(answers[0]) == json.dumps(answers[1])


@pytest.mark.parametrize("column", ["initiator_id", "status", "room_name", "id", "end_reason", "e2ee", "max_participants", "created_at"])
async def test_what_a_caller_may_not_say_of_a_call(setup: Setup, column: str) -> None:
    assert await refused(setup, "alice", NEW_CALL, call={"type": "audio", column: str(id_of("bob"))}) == "validation-failed"


async def test_one_refused_row_refuses_all(setup: Setup) -> None:
    query = "mutation ($calls: [nchat_calls_insert_input!]!) { insert_nchat_calls(objects: $calls) { affected_rows } }"
    calls = [{"type": "audio"}, {"type": "audio", "channel_id": str(id_of("secret"))}]
    assert await refused(setup, "alice", query, calls=calls) == "permission-error"


@pytest.mark.parametrize(
    ("who", "row", "written"),
    [
        ("alice", "direct: alice", True),
        ("alice", "direct: bob", False),
        ("carol", "in general: carol", False),  # kicked
        ("mallory", "ended: mallory", False),  # left
        ("bob", "ended: bob", False),  # the call is over
        ("mod", "direct: alice", False),
        ("mallory", "none such", False),
    ],
)
async def test_notes_on_oneself(own_setup: Setup, who: str, row: str, written: bool) -> None:
    before = await dump(own_setup.url)
    data = await own_setup.data(who, OWN_NOTE, id=str(id_of(row)))
    assert (data["update_nchat_call_participants_by_pk"] is not None) == written
    assert (await dump(own_setup.url) != before) == written


@pytest.mark.parametrize(("who", "rows"), [("alice", 3), ("bob", 1), ("dave", 1), ("carol", 0), ("mallory", 0), ("mod", 0)])
async def test_notes_on_all_that_one_may(own_setup: Setup, who: str, rows: int) -> None:
    data = await own_setup.data(who, NOTES)
    assert data["update_nchat_call_participants"] == {"affected_rows": rows}


async def test_notes_are_short(setup: Setup) -> None:
    query = "mutation ($note: jsonb) { update_nchat_call_participants(where: {}, _set: {metadata: $note}) { affected_rows } }"
    assert await refused(setup, "alice", query, note={"note": "x" * 9000}) == "permission-error"


@pytest.mark.parametrize(("who", "streams"), [("bob", 4), ("dave", 1), ("alice", 0), ("carol", 0), ("mod", 0)])
async def test_streams_are_described_by_their_host(own_setup: Setup, who: str, streams: int) -> None:
    before = await dump(own_setup.url)
    data = await own_setup.data(who, TITLE, id=str(id_of("public stream")))
    assert data["update_nchat_streams_by_pk"] == ({"title": "New"} if who == "bob" else None)
    assert (await own_setup.data(who, TITLES))["update_nchat_streams"] == {"affected_rows": streams}
    assert (await own_setup.data(who, MANY))["update_nchat_streams_many"] == [{"affected_rows": streams}]
    assert (await dump(own_setup.url) != before) == bool(streams)


@pytest.mark.parametrize("column", ["host_id", "channel_id", "status", "viewer_count", "rtmp_ingest_url", "hls_url", "recording_id"])
async def test_what_a_host_may_not_say_of_a_stream(setup: Setup, column: str) -> None:
    query = f'mutation {{ update_nchat_streams(where: {{}}, _set: {{ {column}: "{id_of("bob")}" }}) {{ affected_rows }} }}'
    assert await refused(setup, "bob", query) == "validation-failed"


@pytest.mark.parametrize("who", ["alice", "bob", "mod", "anonymous"])
async def test_all_other_writes_do_not_exist(setup: Setup, who: str) -> None:
    """In any table of the database, tracked or not."""
    connection = await asyncpg.connect(setup.url)
    tables = [row[0] for row in await connection.fetch("SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE 'nchat\\_%'")]
    await connection.close()
    listed = WRITERS.get(who, WRITES)
    queries = [
        f"mutation {{ {empty.format(table)} {{ affected_rows }} }}"
        for table in tables
        for operation, empties in EMPTY.items()
        if operation not in listed.get(table, {})
        for empty in empties
    ]
    assert len(queries) > 60
    before = await dump(setup.url)
    for query in queries:
        assert code_in(await setup.ask(who, query), f"{who} asked {query}") == "validation-failed", query
    assert await dump(setup.url) == before
