"""`make run` as a newcomer meets it: ready, usable as the README says, kept data, and nothing left behind however it ends."""

import asyncio
import json
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import httpx2
import pytest
from livekit import api

from devstack import livekit_server
from tests.support.development import COMMAND, MAKE, ROOT, Development
from tests.support.living_processes import living
from tests.support.memory_folder import memory_folder
from tests.support.prepared_data import PreparedData, prepared_once
from tests.support.waiting import until

SIMULATED = (*COMMAND, "--simulator")


@contextmanager
def development_in(folder: Path) -> Iterator[Development]:
    started = Development(folder / "data")
    try:
        yield started
    finally:
        started.end()


@pytest.fixture
def newcomer(tmp_path: Path) -> Iterator[Development]:
    """With no data folder yet."""
    with development_in(tmp_path) as started:
        yield started


@pytest.fixture(scope="session")
def prepared_data(tmp_path_factory: pytest.TempPathFactory) -> PreparedData:
    return prepared_once(tmp_path_factory)


@pytest.fixture
def development(prepared_data: PreparedData, tmp_path: Path) -> Iterator[Development]:
    """With what a first run has left."""
    with memory_folder(tmp_path) as folder, development_in(folder) as started:
        prepared_data.copy_to(started.folder)
        yield started


def first_query_of_the_readme(development: Development) -> str:
    command = re.search(r"^curl .*?^```", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    assert command is not None
    return command[0].removesuffix("```").replace("http://127.0.0.1:8000", development.url).replace(".venv/bin/nchat-rtc", COMMAND[0])


def names_of(answer: str) -> list[str]:
    return [member["user"]["username"] for channel in json.loads(answer)["data"]["nchat_channels"] for member in channel["channel_members"]]


def clients_reach_livekit_at(development: Development) -> str:
    """The door, as its clients are told, for a plain request."""
    facts = (development.folder / "dev.env").read_text()
    (url,) = re.findall(r"^NCHAT_LIVEKIT_PUBLIC_URL='ws(://[^']+)'$", facts, re.MULTILINE)
    return f"http{url}"


def status_of(url: str, host: str | None = None) -> int:
    return httpx2.get(url, headers={"Host": host} if host else None).status_code


def test_a_newcomers_first_minutes(newcomer: Development) -> None:
    process = newcomer.start(SIMULATED)
    newcomer.wait_until_ready(process)
    told = newcomer.text()
    assert f"{newcomer.url}/console" in told
    assert re.findall(r"^  (\w+) \(.*\)\n  eyJ", told, re.MULTILINE) == ["alice", "bob", "carol", "dave", "mallory", "mod"]

    answer = newcomer.run("sh", "-c", first_query_of_the_readme(newcomer))
    assert names_of(answer.stdout) == ["alice", "bob", "carol", "dave"], answer.stdout + answer.stderr
    as_mallory = newcomer.run("sh", "-c", first_query_of_the_readme(newcomer).replace("alice", "mallory"))
    assert json.loads(as_mallory.stdout) == {"data": {"nchat_channels": []}}
    assert newcomer.run(COMMAND[0], "status").returncode == 0
    assert status_of(f"{clients_reach_livekit_at(newcomer)}/rtc") == 401
    assert status_of(f"{clients_reach_livekit_at(newcomer)}/twirp/livekit.RoomService/ListRooms") == 404
    assert status_of(f"{newcomer.url}/console/demo-users.json", host="evil.example") == 421

    refused = newcomer.run(*SIMULATED, port=newcomer.port)
    assert refused.returncode == 1
    assert re.fullmatch(rf"nchat-rtc: port {newcomer.port} is in use.*NCHAT_PORT=8001 make run\n", refused.stderr)
    assert newcomer.answers("/readyz")

    process.terminate()
    assert process.wait(10) == 0
    assert newcomer.processes() == []
    assert not (newcomer.folder / "dev.env").exists()
    refused_token = newcomer.run(COMMAND[0], "token", "--user", "alice")
    assert (refused_token.returncode, refused_token.stdout) == (1, "")


def test_a_second_run_keeps_data_and_tokens(development: Development) -> None:
    first = development.start(SIMULATED)
    development.wait_until_ready(first)
    token = development.run(COMMAND[0], "token", "--user", "bob").stdout.strip()
    assert asyncio.run(rename_bob(development, "Robert")) == "Robert"
    first.send_signal(signal.SIGINT)
    assert first.wait(10) == 0

    second = development.start(SIMULATED)
    development.wait_until_ready(second)
    answer = development.run(
        "curl", "-s", f"{development.url}/v1/graphql", "-H", f"Authorization: Bearer {token}",
        "-d", '{"query": "{ nchat_users(where: {username: {_eq: \\"bob\\"}}) { display_name } }"}',
    )  # fmt: skip
    assert json.loads(answer.stdout) == {"data": {"nchat_users": [{"display_name": "Robert"}]}}, answer.stdout


def test_a_second_run_beside_the_first_is_refused_and_takes_nothing_from_it(development: Development) -> None:
    first = development.start(SIMULATED)
    development.wait_until_ready(first)
    other = Development(development.folder)
    refused = subprocess.run(SIMULATED, cwd=ROOT, env=other.environment, capture_output=True, text=True, timeout=60)
    assert refused.returncode == 1
    assert re.fullmatch(r"nchat-rtc: \S+ is in use by process \d+\. Stop that `make run` first, .*\n", refused.stderr)
    assert development.answers("/readyz")
    assert development.run(COMMAND[0], "token", "--user", "alice").stdout.startswith("eyJ")


@pytest.mark.skipif(livekit_server.find_binary() is None, reason=livekit_server.NOT_FOUND)
def test_what_livekit_is_asked_to_record_comes_to_a_worker(development: Development) -> None:
    process = development.start(MAKE)
    development.wait_until_ready(process)
    (store,) = re.findall(r"a store for recordings at (http://\S+),", development.text())
    (knobs,) = re.findall(r"a worker that records, its knobs at (http://\S+)", development.text())
    assert status_of(f"{store}/recordings") == 403
    (egress_id,) = asyncio.run(ask_for_a_recording(development))
    assert httpx2.get(knobs).json()["running"] == [egress_id]


async def ask_for_a_recording(development: Development) -> list[str]:
    """Through LiveKit's own interface, of a room in which nobody is; its id."""
    facts = dict(re.findall(r"^NCHAT_LIVEKIT_(\w+)='(.*)'$", (development.folder / "dev.env").read_text(), re.MULTILINE))
    async with api.LiveKitAPI(facts["URL"], facts["API_KEY"], facts["API_SECRET"]) as livekit:
        await livekit.room.create_room(api.CreateRoomRequest(name="empty"))
        output = api.EncodedFileOutput(filepath="empty.mp4")
        await livekit.egress.start_room_composite_egress(api.RoomCompositeEgressRequest(room_name="empty", file_outputs=[output]))
        return [one.egress_id for one in (await livekit.egress.list_egress(api.ListEgressRequest(active=True))).items]


async def rename_bob(development: Development, name: str) -> str:
    """Through the database itself, as an application of the deployment would."""
    facts = (development.folder / "dev.env").read_text()
    url = re.search(r"^NCHAT_DATABASE_URL='(.*)'$", facts, re.MULTILINE)
    assert url is not None
    connection = await asyncpg.connect(url[1])
    try:
        return str(
            await connection.fetchval("update nchat_users set display_name = $1 where username = 'bob' returning display_name", name)
        )
    finally:
        await connection.close()


@pytest.mark.parametrize(
    ("command", "how"),
    [
        pytest.param(SIMULATED, signal.SIGKILL, id="dev-killed"),
        pytest.param(MAKE, signal.SIGKILL, id="make-alone-killed"),
        pytest.param(MAKE, signal.SIGTERM, id="make-alone-terminated"),
    ],
)
def test_nothing_outlives_it(development: Development, command: tuple[str, ...], how: signal.Signals) -> None:
    process = development.start(command)
    development.wait_until_ready(process)
    assert len(development.processes()) >= 3
    process.send_signal(how)
    process.wait(10)
    until(lambda: not development.processes(), seconds=5)


def test_a_group_that_gets_ctrl_c_ends_in_order(development: Development) -> None:
    process = development.start(MAKE)
    development.wait_until_ready(process)
    group = development.processes()
    assert len(group) >= 3
    subprocess.run(["kill", "-INT", "--", f"-{process.pid}"], check=True)
    process.wait(10)
    until(lambda: not development.processes(), seconds=5)
    assert not living(group)


def test_a_lost_server_ends_the_rest(development: Development) -> None:
    process = development.start(SIMULATED)
    development.wait_until_ready(process)
    postgres = next(one for one in development.processes() if one.name() == "postgres" and one.ppid() == process.pid)
    postgres.send_signal(signal.SIGQUIT)
    assert process.wait(15) == 1
    assert "PostgreSQL ended by itself" in development.text()
    until(lambda: not development.processes(), seconds=5)
