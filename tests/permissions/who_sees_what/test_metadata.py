"""The directory itself: it fits the database without a problem, is whole in itself, and says nothing by `*`."""

from pathlib import Path

import pytest
import yaml

from permissions.reading.metadata import load_metadata
from permissions.resolving.tracked_tables import track_tables
from schema.tables import metadata as tables
from tests.permissions.who_sees_what.conftest import METADATA, Setup
from tests.support.completeness import one_way, unlisted, without_role

TABLES = METADATA / "databases" / "default" / "tables"
FILES = sorted(TABLES.glob("public_*.yaml"))
# Never in GraphQL, not even for admin: only statements of the service have business with them.
UNTRACKED = {
    "nchat_call_counters",
    "nchat_stream_counters",
    "nchat_call_absences",
    "nchat_call_looks",
    "nchat_history",
    "nchat_stream_ingresses",
    "nchat_stream_outputs",
    "nchat_stream_dash",
    "nchat_stream_health",
    "nchat_stream_rights",
    "nchat_stream_tallies",
    "nchat_stream_reaction_totals",
    "nchat_stream_news",
}
# Relationships that nothing leads back from. Everything else goes both ways.
ONE_WAY = {
    # nchat's own people and channels: they get lists of ours only where a rule looks through one.
    "nchat_calls.initiator", "nchat_call_participants.user", "nchat_call_events.actor", "nchat_call_recording_parts.user",
    "nchat_stream_viewers.user", "nchat_stream_reactions.user", "nchat_stream_invites.user", "nchat_stream_bans.user",
    "nchat_calls.channel", "nchat_streams.channel",
    "nchat_user_call_settings.user", "nchat_channel_call_settings.channel",
    # Between a stream, its call and its recordings: no action writes streams or recordings yet, so nobody looks from the other side.
    "nchat_streams.call", "nchat_streams.recording", "nchat_call_recordings.stream",
    # Tables that admin alone reads, and by themselves.
    "nchat_stream_chat_events.stream", "nchat_stream_chat_events.actor", "nchat_push_outbox.user",
    "nchat_event_outbox.recording",
}  # fmt: skip
OPERATIONS = ("select", "insert", "update", "delete")


def test_it_loads_without_a_problem() -> None:
    assert load_metadata(METADATA).problems == ()


@pytest.mark.anyio
async def test_it_fits_the_database(setup: Setup) -> None:
    assert setup.resolved.problems == ()
    assert set(setup.resolved.roles) == {"admin", "anonymous", "moderator", "user"}


@pytest.mark.anyio
async def test_every_table_is_tracked_or_left_out_on_purpose(setup: Setup) -> None:
    tracked = {table.name.name for table in setup.resolved.catalog}
    unknown = unlisted(tables.tables, tracked | UNTRACKED, "tables.yaml of the metadata, or UNTRACKED", __name__)
    assert not unknown, "\n".join(unknown)
    assert tracked | UNTRACKED == set(tables.tables)
    assert not tracked & UNTRACKED


@pytest.mark.anyio
async def test_every_tracked_column_is_a_column_of_the_models(setup: Setup) -> None:
    for tracked in setup.resolved.catalog:
        assert set(tracked.columns) == set(tables.tables[tracked.name.name].c.keys())


def test_relationships_go_both_ways() -> None:
    """Over the models: what a rule of permission lacks must not hide it."""
    catalog, _ = track_tables(load_metadata(METADATA), tables, ())
    found = one_way({table.name: table.relationships for table in catalog})
    missing, needless = sorted(found - ONE_WAY), sorted(ONE_WAY - found)
    assert not missing, f"no relationship leads back over the same columns from {missing}: add one, or a reason in ONE_WAY in {__name__}"
    assert not needless, f"{needless} are gone or have a reverse: take them out of ONE_WAY in {__name__}"


def test_every_action_has_a_role() -> None:
    admin_only = without_role(load_metadata(METADATA).actions)
    assert not admin_only, f"nobody may call {admin_only}: add a role under `permissions` in permissions/metadata/actions.yaml"


def test_every_file_is_included() -> None:
    included = yaml.safe_load((TABLES / "tables.yaml").read_text())
    assert included == [f"!include {file.name}" for file in FILES]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_file(file: Path) -> None:
    entry = yaml.safe_load(file.read_text())
    assert file.stem == f"public_{entry['table']['name']}"
    for operation in OPERATIONS:
        permissions = entry.get(f"{operation}_permissions", [])
        roles = [permission["role"] for permission in permissions]
        assert roles == sorted(set(roles))
        assert all(isinstance(permission["permission"]["columns"], list) for permission in permissions)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_anonymous_rule_names_a_session_variable(file: Path) -> None:
    entry = yaml.safe_load(file.read_text())
    permissions = [permission for operation in OPERATIONS for permission in entry.get(f"{operation}_permissions", [])]
    assert "x-hasura-" not in yaml.dump([permission for permission in permissions if permission["role"] == "anonymous"]).lower()
    assert all(permission["role"] != "admin" for permission in permissions)
