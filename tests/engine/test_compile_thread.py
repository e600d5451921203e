"""Long compilations take turns on one thread: nobody's place depends on how much others ask for."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable

import pytest

from permissions.errors import GraphQLRefusal
from resolvers.compile_thread import CompileThread

pytestmark = pytest.mark.anyio


class Held:
    """CompileThread whose thread is busy until `release`; `order` is what was done since."""

    def __init__(self) -> None:
        self.thread, self.order = CompileThread(), list[str]()
        self.release = threading.Event()
        self.tasks: dict[str, asyncio.Task[str]] = {}

    def ask(self, principal: str, name: str, known: Callable[[], str | None] = lambda: None) -> None:
        def work() -> str:
            self.order.append(name)
            return name

        self.tasks[name] = asyncio.create_task(self.thread.run(principal, work, known))

    async def settled(self) -> list[str | BaseException]:
        """Everybody's answer, once the thread is free."""
        self.release.set()
        return await asyncio.gather(*self.tasks.values(), return_exceptions=True)


@pytest.fixture
async def held() -> AsyncIterator[Held]:
    held = Held()
    began = threading.Event()

    def hold() -> str:
        began.set()
        held.release.wait(10)
        return ""

    first = asyncio.create_task(held.thread.run("holder", hold))
    await asyncio.to_thread(began.wait, 10)
    yield held
    held.release.set()
    await first


async def tick() -> None:
    """Lets tasks that were just created reach their first wait."""
    for _ in range(3):
        await asyncio.sleep(0)


async def test_principals_alternate(held: Held) -> None:
    for number in range(5):
        held.ask("mallory", f"m{number}")
    await tick()
    held.ask("alice", "a0")
    held.ask("bob", "b0")
    held.ask("alice", "a1")
    assert await held.settled() == list(held.tasks)
    assert held.order == ["m0", "a0", "b0", "m1", "a1", "m2", "m3", "m4"]


async def test_who_asks_for_too_much_is_refused_and_others_are_not(held: Held) -> None:
    for number in range(50):
        held.ask("mallory", f"m{number}")
    await tick()
    held.ask("alice", "a0")
    answers = dict(zip(held.tasks, await held.settled(), strict=True))
    refused = [answer for answer in answers.values() if isinstance(answer, GraphQLRefusal)]
    assert answers["a0"] == "a0"
    assert len(refused) == 20
    assert {refusal.code for refusal in refused} == {"rate-limited"}
    assert len(held.order) == 31


async def test_all_principals_together_have_an_end(held: Held) -> None:
    for number in range(600):
        held.ask(f"address {number}", str(number))
    answers = await held.settled()
    assert sum(isinstance(answer, GraphQLRefusal) for answer in answers) == 100
    held.ask("alice", "again")
    assert (await held.settled())[-1] == "again"


async def test_who_has_gone_is_not_worked_for(held: Held) -> None:
    for name in ("m0", "m1", "m2"):
        held.ask("mallory", name)
    await tick()
    held.tasks["m1"].cancel()
    await held.settled()
    assert held.order == ["m0", "m2"]
    assert not held.thread._queues
    assert held.thread._waiting == 0


async def test_what_became_known_meanwhile_is_not_done_again(held: Held) -> None:
    for name in ("first", "second"):
        held.ask("alice", name, lambda: "known" if held.order else None)
    assert await held.settled() == ["first", "known"]
    assert held.order == ["first"]


async def test_an_error_is_the_asker_s_own(held: Held) -> None:
    def fail() -> str:
        raise GraphQLRefusal("validation-failed", "no")

    failing = asyncio.create_task(held.thread.run("alice", fail))
    await tick()
    held.ask("alice", "next")
    assert await held.settled() == ["next"]
    with pytest.raises(GraphQLRefusal, match="no"):
        await failing
