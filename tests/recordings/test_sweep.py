"""The bucket and the rows brought together: what nobody knows goes, what is missing is said, and everything else stays."""

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import anyio.to_thread
import pytest

from app.cli import main
from app.storage.s3_store import S3Address, open_store
from devstack import store
from domain.recordings.names import new_prefix, recording_prefix
from domain.recordings.retention.bare_rows import FILE_GONE, GONE
from domain.recordings.retention.sweep import AnotherDatabase, Found, Sweep
from tests.recordings.finished import ended_call, finished_recording, part_statuses, status_of
from tests.support.domain_setup import Setup

pytestmark = pytest.mark.anyio


def sweep_of(on: Setup, seen: list[int] | None = None) -> Sweep:
    seen = [] if seen is None else seen
    return Sweep(on.world.transaction, on.store, on.clock, lambda found: seen.append(found.objects + found.rows))


def age(on: Setup, hours: float) -> None:
    """Everything in the store is so old."""
    on.store.times = dict.fromkeys(on.store.objects, on.clock.now() - timedelta(hours=hours))


async def test_what_nobody_knows_is_reported_then_deleted(on: Setup) -> None:
    call_id = await ended_call(on)
    kept = await finished_recording(on, call_id, parts=2, segments=1200)
    removed = await finished_recording(on, call_id)
    await on.database.execute("UPDATE nchat_call_recordings SET status = 'deleted' WHERE id = $1", removed)
    strays = [
        f"{new_prefix(uuid4(), uuid4())}segment_00000.ts",
        f"{recording_prefix(kept)}joined-of-a-process-that-died.mp4",
        "recordings/x",
    ]
    for key in strays:
        await on.store.write(key, b"media", "video/mp4")
    age(on, 25)
    await on.store.write("elsewhere/of another program", b"media", "video/mp4")
    before = dict(on.store.objects)
    seen: list[int] = []
    sweep = sweep_of(on, seen)
    found = await sweep.look()
    assert (found.objects, found.stray, found.stray_bytes, found.young, found.bare) == (2411, 7, 35, 0, [])
    assert seen == [1000, 2000, 2411, 2412], "told after each page"
    assert on.store.objects == before, "a look changes nothing"
    await sweep.repair(found)
    assert found.deleted == 7
    gone = before.keys() - on.store.objects.keys()
    assert gone == set(strays) | {key for key in before if key.startswith(recording_prefix(removed))}
    assert (await sweep.look()).clean


async def test_what_is_younger_than_a_day_is_left_alone(on: Setup) -> None:
    await finished_recording(on, await ended_call(on))
    await on.store.write("recordings/x", b"media", "video/mp4")
    age(on, 23.9)
    found = await sweep_of(on).look()
    assert (found.stray, found.young, found.clean) == (0, 1, True)


async def test_rows_whose_objects_are_missing_say_so(on: Setup) -> None:
    call_id = await ended_call(on)
    whole, empty, fileless, halved, going = [await finished_recording(on, call_id, parts=parts) for parts in (1, 1, 1, 2, 1)]
    await on.database.execute("UPDATE nchat_call_recordings SET delete_asked_at = now() WHERE id = $1", going)
    kept = set(await on.database.fetch("SELECT path_prefix FROM nchat_call_recording_parts WHERE recording_id = $1 AND index = 1", halved))
    prefixes = {row["path_prefix"] for row in kept}
    for key in list(on.store.objects):
        lost = key.startswith((recording_prefix(empty), recording_prefix(going)))
        half = key.startswith(recording_prefix(halved)) and not key.startswith(tuple(prefixes))
        if lost or half or (key.startswith(recording_prefix(fileless)) and key.endswith(".mp4")):
            del on.store.objects[key]
    sweep = sweep_of(on)
    found = await sweep.look()
    assert {bare.id: bare.lacks for bare in found.bare} == {empty: "media", fileless: "file", halved: "part"}
    assert await status_of(on, empty) == "ready", "a look changes nothing"
    await sweep.repair(found)
    assert found.repaired == 3
    rows = {row["id"]: row for row in await on.database.fetch("SELECT * FROM nchat_call_recordings")}
    assert (rows[empty]["status"], rows[empty]["error_message"], rows[empty]["file_path"]) == ("failed", GONE, None)
    assert (rows[fileless]["status"], rows[fileless]["file_reason"], rows[fileless]["file_path"]) == ("ready", FILE_GONE, None)
    assert (rows[halved]["status"], await part_statuses(on, halved)) == ("ready", {"ready", "failed"})
    assert (rows[whole]["status"], rows[whole]["file_path"] is None) == ("ready", False)
    assert (rows[going]["status"], rows[going]["error_message"]) == ("ready", None)
    assert (await sweep.look()).clean


async def test_a_row_that_changed_since_the_look_is_left_as_it_is(on: Setup) -> None:
    recording_id = await finished_recording(on, await ended_call(on))
    on.store.objects.clear()
    sweep = sweep_of(on)
    found = await sweep.look()
    await on.database.execute("UPDATE nchat_call_recordings SET delete_asked_at = now()")
    await sweep.repair(found)
    assert (found.repaired, await status_of(on, recording_id)) == (0, "ready")


async def test_the_database_of_another_deployment_deletes_nothing(on: Setup) -> None:
    for _ in range(3):
        await on.store.write(f"{new_prefix(uuid4(), uuid4())}segment_00000.ts", b"media", "video/mp2t")
    age(on, 100)
    sweep = sweep_of(on)
    with pytest.raises(AnotherDatabase):
        await sweep.repair(await sweep.look())
    assert len(on.store.objects) == 3


async def test_the_command_on_a_real_store(
    on: Setup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    process = store.start(tmp_path / "objects", access_key="access", secret_key="secret", bucket="recordings", log=tmp_path / "store.log")
    try:
        address = S3Address("recordings", process.url, access_key="access", secret_key="secret")
        async with open_store(address) as real:
            call_id = await ended_call(on)
            await finished_recording(on, call_id, real)
            bare = await finished_recording(on, call_id)
            await real.write("recordings/x", b"media", "video/mp4")
        given = {
            "DATABASE_URL": on.url, "S3_ENDPOINT": process.url, "S3_ACCESS_KEY": "access", "S3_SECRET_KEY": "secret",
            "RECORDING_BUCKET": "recordings", "DATA_DIR": str(tmp_path),
        }  # fmt: skip
        for name, value in given.items():
            monkeypatch.setenv(f"NCHAT_{name}", value)
        assert await anyio.to_thread.run_sync(main, ["recordings", "sweep", "--dry-run"]) == 3
        said = capsys.readouterr()
        assert f"  {bare} lacks all of its media\n" in said.out
        assert "5 objects: 0 without a row (0 bytes), 1 more too young to say." in said.out
        assert "5 objects looked at" in said.err
        assert await status_of(on, bare) == "ready"
        assert await anyio.to_thread.run_sync(main, ["recordings", "sweep"]) == 0
        assert "0 objects deleted, 1 recordings repaired." in capsys.readouterr().out
        assert await status_of(on, bare) == "failed"
        assert await anyio.to_thread.run_sync(main, ["recordings", "sweep", "--dry-run"]) == 0
        process.turn(overloaded=True)
        assert await anyio.to_thread.run_sync(main, ["recordings", "sweep"]) == 1
        assert "the store: " in capsys.readouterr().err
    finally:
        process.stop()


def test_a_sweep_that_has_seen_nothing_is_clean() -> None:
    assert Found().clean
    assert not Found().another_database


def test_the_help_names_every_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["recordings", "sweep", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert "Exit code 0: nothing is wrong, or all is repaired. 3: --dry-run found something. 1: the store or the database" in told
