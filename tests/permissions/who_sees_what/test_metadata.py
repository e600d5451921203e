"""The directory itself: it fits the database without a problem, and says nothing by `*`."""

from pathlib import Path

import pytest
import yaml

from permissions.reading.metadata import load_metadata
from schema.tables import metadata as tables
from tests.permissions.who_sees_what.conftest import METADATA, Setup

TABLES = METADATA / "databases" / "default" / "tables"
FILES = sorted(TABLES.glob("public_*.yaml"))
# Never in GraphQL, not even for admin: only statements of the service have business with them.
UNTRACKED = {"nchat_call_counters", "nchat_stream_counters", "nchat_call_absences"}
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
    assert tracked | UNTRACKED == set(tables.tables)
    assert not tracked & UNTRACKED


@pytest.mark.anyio
async def test_every_tracked_column_is_a_column_of_the_models(setup: Setup) -> None:
    for tracked in setup.resolved.catalog:
        assert set(tracked.columns) == set(tables.tables[tracked.name.name].c.keys())


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
