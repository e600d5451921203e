"""`nchat-rtc sockets`: each process answers for its own sockets, one that does not is named, and nobody else can ask."""

import asyncio
import re
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import orjson
import pytest

from app.cli import main
from app.cli.sockets import show
from app.sockets.answering import WAITING, GivenOrders, open_sockets
from app.sockets.asking import ProcessAnswer, ask
from app.sockets.open_sockets import LOOKED_AT_ONCE, SocketFacts
from app.sockets.orders import CHANNEL, ORDER_OF, PROCESSES, Order, order_in
from devstack.demo_data import USER_IDS
from devstack.ports import free_port
from tests.hostile.attacked_service import environment
from tests.support.event_stream import Event, asking_for_events
from tests.support.forked_commands import ForkedCommand, ForkedCommands
from tests.support.log_lines import LogLines
from tests.support.refusals import code_in
from tests.support.waiting import eventually
from tests.support.whole_service import bearer
from tests.transport.fakes import Client, websocket

pytestmark = pytest.mark.anyio

RINGS = "subscription { incomingCalls { kind } }"
ALICE, BOB = str(USER_IDS["alice"]), str(USER_IDS["bob"])


@dataclass(frozen=True, slots=True)
class Service:
    """A process of `nchat-rtc serve`."""

    process: ForkedCommand
    port: int
    output: Path

    @asynccontextmanager
    async def listens(self, name: str, subprotocol: str = "graphql-transport-ws") -> AsyncIterator[Client]:
        """A websocket of that person, who follows two things."""
        async with websocket(f"127.0.0.1:{self.port}", subprotocols=[subprotocol]) as client:
            await client.init(bearer(USER_IDS[name]))
            for operation in "12":
                await client.subscribe(RINGS, operation)
                assert (await client.receive())["type"] == "next"
            yield client

    def orders_done(self) -> int:
        return self.output.read_text().count('"order_done"')

    async def answers(self) -> bool:
        assert self.process.running
        try:
            async with httpx2.AsyncClient(timeout=2) as http:
                return (await http.get(f"http://127.0.0.1:{self.port}/healthz")).is_success
        except httpx2.TransportError:
            return False


@pytest.fixture
async def services(commands: ForkedCommands, demo_database_url: str, tmp_path: Path) -> AsyncIterator[list[Service]]:
    """Two, each with hints of its own alone."""
    started = list[Service]()
    try:
        for port in (free_port(), free_port()):
            arguments = ["serve", "--port", str(port)]
            output = tmp_path / f"service-{port}.log"
            started.append(Service(commands.run(arguments, environment(demo_database_url, {}), output), port, output))
        for service in started:
            await eventually(service.answers, seconds=60)
        await known(demo_database_url, 2)
        yield started
    finally:
        for service in started:
            await service.process.end()


async def known(url: str, many: int) -> None:
    """Returns when so many processes take orders."""
    connection = await asyncpg.connect(url)
    try:

        async def enough() -> bool:
            return len(await connection.fetch(PROCESSES)) == many

        await eventually(enough)
    finally:
        await connection.close()


@dataclass(frozen=True, slots=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return orjson.loads(self.out)


Command = Callable[..., "asyncio.Task[Said]"]


@pytest.fixture
def command(demo_database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs `nchat-rtc sockets` beside the test."""
    monkeypatch.setenv("NCHAT_DATABASE_URL", demo_database_url)

    async def run(*arguments: str) -> Said:
        code = await asyncio.to_thread(main, ["sockets", *arguments])
        return Said(code, *capsys.readouterr())

    return lambda *arguments: asyncio.create_task(run(*arguments))


def shown(said: Said) -> list[tuple[Any, ...]]:
    """Process id, user, role, protocol and operations of each socket."""
    rows = [
        (int(row["process"].rpartition(":")[2]), row["user"], row["role"], row["protocol"], row["operations"])
        for row in said.json["sockets"]
    ]
    return sorted(rows, key=str)


async def test_two_processes(services: list[Service], command: Command) -> None:
    # To start them takes longer than all that is tested.
    here, there = services
    await all_sockets_are_listed_and_those_of_one_user_closed(here, there, command)
    await one_that_hangs_is_named_and_one_that_was_killed_is_not_waited_for(here, there, command)


async def all_sockets_are_listed_and_those_of_one_user_closed(here: Service, there: Service, command: Command) -> None:
    async with (
        here.listens("alice") as alice,
        there.listens("alice", "graphql-ws") as older,
        there.listens("bob") as bob,
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{there.port}") as http,
        asking_for_events(http, RINGS, bearer(USER_IDS["alice"])) as events,
    ):
        assert (await events.next()) is not None
        of_alice = [
            (here.process.pid, ALICE, "user", "graphql-transport-ws", 2),
            (there.process.pid, ALICE, "user", "graphql-ws", 2),
            (there.process.pid, ALICE, "user", "sse", 1),
        ]
        of_bob = (there.process.pid, BOB, "user", "graphql-transport-ws", 2)
        listed = await command("list", "--json")
        assert (listed.code, listed.err) == (0, "")
        assert shown(listed) == sorted([*of_alice, of_bob], key=str)
        assert {row["address"] for row in listed.json["sockets"]} == {"127.0.0.1"}
        assert shown(await command("list", "--json", "--user", ALICE.upper())) == sorted(of_alice, key=str)

        told = await command("list")
        assert told.out.split("\n")[0].split() == ["PROCESS", "USER", "ROLE", "PROTOCOL", "SINCE", "OPERATIONS", "ADDRESS"]
        # A token has three parts, each of them in base64.
        assert not re.search(r"ey\w+\.ey\w+\.\w+", listed.out + told.out)

        closed = await command("close", "--user", ALICE)
        assert (closed.code, closed.err) == (0, "")
        assert sorted(line.split(":", 1)[1] for line in closed.out.splitlines()) == sorted(
            [f"{here.process.pid}: 1 socket closed", f"{there.process.pid}: 2 sockets closed"]
        )
        assert await alice.closed() == await older.closed() == (4403, "Closed by an operator")
        refused, complete = await events.all()
        assert (refused.kind, code_in(refused.data, refused)) == ("next", "closed-by-operator")
        assert complete == Event("complete")
        await bob.send(type="ping")
        assert (await bob.receive())["type"] == "pong"
        assert shown(await command("list", "--json")) == [of_bob]
        assert (await command("close", "--user", ALICE, "--json")).json == {
            "processes": [{"process": name, "answered": True, "sockets": 0} for name in processes(listed)],
            "sockets": [],
        }


def processes(said: Said) -> list[str]:
    return [process["process"] for process in said.json["processes"]]


async def one_that_hangs_is_named_and_one_that_was_killed_is_not_waited_for(here: Service, there: Service, command: Command) -> None:
    async with there.listens("bob"):
        here.process.send_signal(signal.SIGSTOP)
        hangs = await command("list", "--wait", "3")
        assert hangs.code == 3
        assert f":{here.process.pid}: did not answer within 3 s" in hangs.out
        assert f":{there.process.pid}: 1 socket\n" in hangs.out
        asked, before = command("list", "--json", "--wait", "60"), there.orders_done()

        async def given() -> bool:
            return there.orders_done() > before

        await eventually(given)
        here.process.send_signal(signal.SIGKILL)
        async with asyncio.timeout(10):
            killed = await asked
        assert killed.code == 3
        assert [row[0] for row in shown(killed)] == [there.process.pid]
        assert {process["process"].rpartition(":")[2]: process["answered"] for process in killed.json["processes"]} == {
            str(here.process.pid): False,
            str(there.process.pid): True,
        }
        after = await command("list", "--json")
        assert (after.code, len(after.json["processes"])) == (0, 1)


class Listed:
    """A socket of a process that is this one."""

    def __init__(self, user: str, address: str = "::1") -> None:
        self.facts, self.ended = SocketFacts(user, "user", "sse", 0.0, 1, address), False

    def end(self) -> None:
        self.ended = True


@asynccontextmanager
async def listing(url: str, *listed: Listed) -> AsyncIterator[None]:
    """As long as these sockets are open, and orders about them are taken."""
    async with open_sockets(url) as sockets:
        with ExitStack() as stack:
            for one in listed:
                stack.enter_context(sockets.listed(one))
            await known(url, 1)
            yield


@asynccontextmanager
async def stranger(url: str) -> AsyncIterator["asyncpg.Connection[Any]"]:
    """A connection of another role, which may do in that database what everybody may."""
    owner = await asyncpg.connect(url)
    await owner.execute("CREATE ROLE a_stranger LOGIN PASSWORD 'strange'")
    try:
        connection = await asyncpg.connect(url, user="a_stranger", password="strange")
        try:
            yield connection
        finally:
            await connection.close()
    finally:
        await owner.execute("DROP ROLE a_stranger")
        await owner.close()


async def test_another_role_of_the_database_can_neither_order_nor_overhear(database_url: str, log_lines: LogLines) -> None:
    alice = Listed(ALICE)
    async with stranger(database_url) as other, listing(database_url, alice):
        heard = asyncio.Queue[object]()
        await other.add_listener(CHANNEL, lambda *said: heard.put_nowait(said[-1]))
        for _ in range(3):
            await other.execute(Order("close", ALICE, "answers").statement())
        # Orders are taken one after the other.
        (answer,) = await ask(database_url, "list", None, 5)
        assert (answer.done, alice.ended) == (1, False)
        assert [line["event"] for line in log_lines if line["log_level"] == "warning"] == ["order_not_read"]
        assert [await heard.get() for _ in range(4)] == [""] * 4
        giving = await asyncpg.connect(database_url)
        await giving.execute(Order("list", ALICE, "answers").statement())
        session, read = giving.get_server_pid(), "SELECT query FROM pg_stat_activity WHERE pid = $1"
        assert await other.fetchval(read, session) == "<insufficient privilege>"
        owner = await asyncpg.connect(database_url)
        assert order_in(await owner.fetchval(ORDER_OF, session)) == Order("list", ALICE, "answers")
        await asyncio.gather(giving.close(), owner.close())


async def test_whoever_notifies_without_end_has_one_place() -> None:
    given = GivenOrders()
    for _ in range(WAITING):
        for session in (1, 2):
            given.add(session)
    given.add(3)
    assert [await given.next() for _ in range(3)] == [1, 2, 3]
    # Each may order again, and is behind those who wait.
    for session in (2, 1, 2):
        given.add(session)
    assert [await given.next() for _ in range(2)] == [2, 1]


async def test_any_number_of_sockets_and_any_text(database_url: str) -> None:
    many = [Listed(f"{number}") for number in range(3 * LOOKED_AT_ONCE + 1)]
    user = "\x1b[2J" + "\N{GRINNING FACE}" * 1_000
    strange = Listed(user, "é")
    async with listing(database_url, *many, strange):
        (answer,) = await ask(database_url, "list", None, 20)
        assert answer.done == len(many) + 1
        assert {facts.user for facts in answer.sockets} == {one.facts.user for one in many} | {user[:100]}
        (answer,) = await ask(database_url, "close", "7", 20)
        assert (answer.done, [one.facts.user for one in many if one.ended]) == (1, ["7"])


def test_no_text_of_a_token_moves_the_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    answer = ProcessAnswer("a:1", 1, sockets=[SocketFacts("\x1b[2Jé", None, "sse", 0.0, 1, None)])
    show([answer], "list", 10)
    assert capsys.readouterr().out.splitlines()[1].split() == ["a:1", "?[2Jé", "-", "sse", "1970-01-01T00:00:00+00:00", "1", "-"]


async def test_a_connection_that_was_lost_comes_back(database_url: str, log_lines: LogLines) -> None:
    async with listing(database_url, Listed(ALICE)):
        other = await asyncpg.connect(database_url)
        await other.execute(f"SELECT pg_terminate_backend(pid) FROM ({PROCESSES}) AS process")
        await other.close()
        await known(database_url, 1)
        (answer,) = await ask(database_url, "close", ALICE, 5)
        assert answer.done == 1
        assert [line["event"] for line in log_lines if line["log_level"] == "warning"] == ["orders_unheard"]


class Faulty(Listed):
    def end(self) -> None:
        raise RuntimeError("a fault of ours")


async def test_a_fault_is_told_and_the_next_order_is_taken(database_url: str, log_lines: LogLines) -> None:
    async with listing(database_url, Listed(ALICE), Faulty(BOB)):
        (answer,) = await ask(database_url, "close", BOB, 20)
        assert (answer.done, answer.gone) == (None, True)
        assert [line["event"] for line in log_lines if line["log_level"] == "error"] == ["orders_failed"]
        await known(database_url, 1)
        (answer,) = await ask(database_url, "close", ALICE, 5)
        assert answer.done == 1


@pytest.mark.parametrize(
    ("arguments", "url", "said"),
    [
        (["list"], None, "no process of the service is connected to the database"),
        (["list", "--wait", "0"], None, "--wait must be more than 0 seconds"),
        (["close", "--user", "a" * 1_000], None, "--user: an id of that length can't be asked for"),
        (["list"], "postgresql://nobody@127.0.0.1:1/nchat", "can't be reached: Connection refused"),
    ],
)
async def test_what_can_not_be_asked_is_said(
    command: Command, monkeypatch: pytest.MonkeyPatch, arguments: list[str], url: str | None, said: str
) -> None:
    if url is not None:
        monkeypatch.setenv("NCHAT_DATABASE_URL", url)
    refused = await command(*arguments)
    assert (refused.code, refused.out) == (1, "")
    assert said in refused.err
