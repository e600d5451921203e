"""Keys are rotated: every secret of every column, once, beside whoever writes, and again after whatever cut it off."""

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import anyio.to_thread
import asyncpg
import pytest
from cryptography.fernet import Fernet

from app.adapters.encryption import Encryption
from app.cli import main
from domain.ports import NoSealingKey
from domain.sealing import rotation
from domain.sealing.rotation import Rotated, Rotation
from schema.tables import metadata, sealed_columns
from tests.support.domain_setup import ALICE, GENERAL, Setup

pytestmark = pytest.mark.anyio
OLD, NEW, LOST = (Fernet.generate_key().decode() for _ in range(3))
BOTH = Encryption([NEW, OLD])
ICE, KEYS = "nchat_ice_servers.credential_encrypted", "nchat_stream_destinations.stream_key_encrypted"


def of(on: Setup, sealer: Encryption = BOTH, told: Callable[[Rotated], None] = lambda _: None) -> Rotation:
    return Rotation(on.world.transaction, sealer, told)


async def keep_passwords(on: Setup, *stored: str) -> None:
    await on.database.executemany(
        "INSERT INTO nchat_ice_servers (urls, credential_encrypted) VALUES ('{turn:a}', $1)", [(one,) for one in stored]
    )


async def keep_stream_key(on: Setup, stored: str) -> None:
    given = "INSERT INTO nchat_streams (channel_id, host_id, title) VALUES ($1, $2, 'a stream') RETURNING id"
    stream_id = await on.database.fetchval(given, GENERAL, ALICE)
    columns = "stream_id, platform, rtmp_url, stream_key_encrypted"
    await on.database.execute(
        f"INSERT INTO nchat_stream_destinations ({columns}) VALUES ($1, 'custom', 'rtmp://a/b', $2)", stream_id, stored
    )


async def passwords(on: Setup) -> list[str]:
    return [
        row[0]
        for row in await on.database.fetch("SELECT credential_encrypted FROM nchat_ice_servers WHERE credential_encrypted IS NOT NULL")
    ]


def test_whatever_is_encrypted_is_in_the_one_list() -> None:
    named = {str(column) for table in metadata.sorted_tables for column in table.columns if column.name.endswith("_encrypted")}
    assert {str(column) for column in sealed_columns()} >= named >= {ICE, KEYS}
    assert all(len(column.table.primary_key.columns) == 1 for column in sealed_columns())


async def test_every_secret_moves_to_the_first_key_once(on: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotation, "PAGE", 3)
    old, told = Encryption([OLD]), list[tuple[str, int]]()
    await keep_passwords(on, *(old.seal(f"password {number}") for number in range(7)), BOTH.seal("new already"))
    await on.database.execute("INSERT INTO nchat_ice_servers (urls) VALUES ('{stun:without}')")
    await keep_stream_key(on, old.seal("live_key"))
    done = {one.name: one for one in await of(on, told=lambda one: told.append((one.name, one.resealed + one.current))).run()}
    assert [(done[name].resealed, done[name].current, done[name].whole) for name in (ICE, KEYS)] == [(7, 1, True), (1, 0, True)]
    assert [count for name, count in told if name == ICE] == [3, 6, 8], "told after each page"
    new = Encryption([NEW])
    assert {new.reveal(one) for one in await passwords(on)} == {*(f"password {number}" for number in range(7)), "new already"}
    assert new.reveal(await on.database.fetchval("SELECT stream_key_encrypted FROM nchat_stream_destinations")) == "live_key"
    before = await passwords(on)
    again = {one.name: one for one in await of(on).run()}
    assert (again[ICE].resealed, again[ICE].current, await passwords(on)) == (0, 8, before)


async def test_what_nobody_can_read_is_counted_and_stays(on: Setup) -> None:
    lost = Encryption([LOST]).seal("password")
    await keep_passwords(on, Encryption([OLD]).seal("password"), lost)
    done = {one.name: one for one in await of(on).run()}
    row = await on.database.fetchrow("SELECT id, credential_encrypted FROM nchat_ice_servers WHERE credential_encrypted = $1", lost)
    assert row is not None
    assert (done[ICE].resealed, done[ICE].unreadable, done[ICE].whole) == (1, [str(row["id"])], False)


async def test_a_secret_that_was_replaced_meanwhile_stays(on: Setup) -> None:
    await keep_passwords(on, Encryption([OLD]).seal("password"))
    rotated = Rotated(next(column for column in sealed_columns() if str(column) == ICE))
    row = await on.database.fetchrow("SELECT id, credential_encrypted AS sealed FROM nchat_ice_servers")
    assert row is not None
    newer = BOTH.seal("a newer password")
    await on.database.execute("UPDATE nchat_ice_servers SET credential_encrypted = $1", newer)
    await of(on)._write(rotated, [(row["id"], row["sealed"], BOTH.reseal(row["sealed"]))])
    assert (await passwords(on), rotated.resealed, rotated.busy, rotated.whole) == ([newer], 0, 1, False)


async def test_a_row_that_somebody_holds_is_left_for_the_next_time(on: Setup) -> None:
    await keep_passwords(on, Encryption([OLD]).seal("password"))
    other = await asyncpg.connect(on.url)
    try:
        async with other.transaction():
            await other.execute("UPDATE nchat_ice_servers SET priority = 1")
            held = {one.name: one for one in await of(on).run()}
        assert (held[ICE].busy, held[ICE].resealed) == (1, 0)
        assert [one.resealed for one in await of(on).run() if one.name == ICE] == [1]
    finally:
        await other.close()


async def test_one_that_was_cut_off_is_repeated(on: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotation, "PAGE", 2)
    await keep_passwords(on, *(Encryption([OLD]).seal(f"password {number}") for number in range(5)))

    def cut_off(_: Rotated) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await of(on, told=cut_off).run()
    done = {one.name: one for one in await of(on).run()}
    assert (done[ICE].resealed, done[ICE].current) == (3, 2)
    assert {Encryption([NEW]).reveal(one) for one in await passwords(on)} == {f"password {number}" for number in range(5)}


async def test_without_a_key_nothing_is_touched(on: Setup) -> None:
    stored = Encryption([OLD]).seal("password")
    await keep_passwords(on, stored)
    with pytest.raises(NoSealingKey):
        await of(on, Encryption(())).run()
    assert await passwords(on) == [stored]


async def test_the_command(on: Setup, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    monkeypatch.setenv("NCHAT_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("NCHAT_DATABASE_URL", on.url)
    monkeypatch.delenv("NCHAT_ENCRYPTION_KEYS", raising=False)

    async def rotated(*keys: str) -> tuple[int, str, str]:
        if keys:
            monkeypatch.setenv("NCHAT_ENCRYPTION_KEYS", ",".join(keys))
        code = await anyio.to_thread.run_sync(main, ["keys", "rotate"])
        said = capsys.readouterr()
        return code, said.out, said.err

    code, _, err = await rotated()
    assert (code, err) == (1, "nchat-rtc: NCHAT_ENCRYPTION_KEYS is not set: there is no key to seal with. Nothing was changed\n")
    await keep_passwords(on, Encryption([OLD]).seal("password"), Encryption([LOST]).seal("password"))
    code, out, err = await rotated(NEW, OLD)
    assert code == 3
    assert f"{ICE}: 1 sealed anew, 0 were already, 1 unreadable\n" in out
    lost: UUID = await on.database.fetchval("SELECT id FROM nchat_ice_servers WHERE credential_encrypted = $1", (await _of_key(on, LOST)))
    assert f"  {lost} was sealed with a key that NCHAT_ENCRYPTION_KEYS does not have\n" in out
    assert f"{ICE}: 2 looked at, 1 sealed anew" in err
    code, out, _ = await rotated(NEW, OLD, LOST)
    assert (code, f"{ICE}: 1 sealed anew, 1 were already, 0 unreadable\n" in out) == (0, True)
    assert "The first key reads everything" in out
    assert not any(secret in out for secret in (NEW, OLD, LOST, "password "))
    code, _, err = await _without_database(monkeypatch, capsys)
    assert (code, "run it again" in err) == (1, True)


async def _of_key(on: Setup, key: str) -> str:
    (found,) = [stored for stored in await passwords(on) if Encryption([key])._is_of_first(stored)]
    return found


async def _without_database(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = await anyio.to_thread.run_sync(main, ["keys", "rotate", "--database-url", "postgresql://127.0.0.1:1/nothing"])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_the_help_names_every_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["keys", "rotate", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert "Exit code 0: the first key reads everything. 3: some secrets are unreadable, or were busy. 1: the database" in told
