"""A recording has one source, a call one running recording."""

from uuid import UUID

import asyncpg
import pytest

from tests.tables.conftest import ALICE

pytestmark = pytest.mark.anyio

NEW = "INSERT INTO nchat_call_recordings (call_id, stream_id, status) VALUES ($1, $2, $3)"


async def test_a_recording_is_of_one_thing(connection: asyncpg.Connection, call_id: UUID, stream_id: UUID) -> None:
    await connection.execute(NEW, call_id, None, "ready")
    await connection.execute(NEW, None, stream_id, "ready")
    for call, stream in ((None, None), (call_id, stream_id)):
        with pytest.raises(asyncpg.CheckViolationError):
            await connection.execute(NEW, call, stream, "ready")
    assert await connection.fetchval("SELECT count(*) FROM nchat_call_recordings") == 2


async def test_one_recording_runs_per_call(connection: asyncpg.Connection, call_id: UUID) -> None:
    await connection.execute(NEW, call_id, None, "starting")
    for status in ("starting", "recording"):
        with pytest.raises(asyncpg.UniqueViolationError):
            await connection.execute(NEW, call_id, None, status)
    await connection.execute("UPDATE nchat_call_recordings SET status = 'processing'")
    await connection.execute(NEW, call_id, None, "recording")
    assert await connection.fetchval("SELECT count(*) FROM nchat_call_recordings") == 2


async def test_a_stream_outlives_its_recording(connection: asyncpg.Connection, stream_id: UUID) -> None:
    await connection.execute(NEW, None, stream_id, "ready")
    await connection.execute("UPDATE nchat_streams SET recording_id = (SELECT id FROM nchat_call_recordings)")
    await connection.execute("DELETE FROM nchat_call_recordings")
    assert await connection.fetchval("SELECT recording_id IS NULL FROM nchat_streams")


async def test_the_policies_that_every_deployment_starts_with(connection: asyncpg.Connection) -> None:
    policies = await connection.fetch("SELECT name, retention_days, apply_to FROM nchat_retention_policies ORDER BY retention_days")
    assert [tuple(policy) for policy in policies] == [("free", 7, "all"), ("pro", 30, "all"), ("enterprise", 365, "all")]


async def test_a_policy_for_all_has_no_target(connection: asyncpg.Connection) -> None:
    new = "INSERT INTO nchat_retention_policies (name, retention_days, apply_to, target_id) VALUES ('own', 1, $1, $2)"
    await connection.execute(new, "user", ALICE)
    for scope, target in (("all", ALICE), ("channel", None), ("nobody", ALICE)):
        with pytest.raises(asyncpg.CheckViolationError):
            await connection.execute(new, scope, target)
    with pytest.raises(asyncpg.UniqueViolationError):
        await connection.execute(new, "user", ALICE)
    assert await connection.fetchval("SELECT count(*) FROM nchat_retention_policies") == 4
