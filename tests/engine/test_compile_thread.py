"""Long compilations take turns on one thread: nobody's place depends on how much others ask for."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable

import pytest

from permissions.errors import GraphQLRefusal
from resolvers.compile_thread import CompileThread, _Waiting

pytestmark = pytest.mark.anyio


class Held:
    """CompileThread whose thread is busy until `release`; `order` is what was done since."""

    def __init__(self) -> None:
        self.thread, self.order = CompileThread(), list[str]()
        self.release = threading.Event()
        self.tasks: dict[str, asyncio.Task[str]] = {}

    def ask(self, principal: str, name: str, known: Callable[[], str | None] = lambda: None, size: int = 0) -> None:
        def work() -> str:
            self.order.append(name)
            return name

        self.tasks[name] = asyncio.create_task(self.thread.run(principal, work, known, size=size))

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
        held.ask("mallory", f"m{number}", size=8 * 1024)
    await tick()
    held.ask("alice", "a0")
    answers = dict(zip(held.tasks, await held.settled(), strict=True))
    refused = [answer for answer in answers.values() if isinstance(answer, GraphQLRefusal)]
    assert answers["a0"] == "a0"
    assert len(refused) == 50 - 256 // 8
    assert {refusal.code for refusal in refused} == {"rate-limited"}
    assert len(held.order) == 33


async def test_a_page_of_a_hundred_new_queries_fits(held: Held) -> None:
    for number in range(100):
        held.ask("alice", str(number), size=2_500)
    assert await held.settled() == list(held.tasks)


async def test_what_is_short_has_an_end_too(held: Held) -> None:
    for number in range(1_000):
        held.ask("mallory", str(number), size=10)
    answers = await held.settled()
    assert 100 <= sum(not isinstance(answer, GraphQLRefusal) for answer in answers) < 200


async def test_a_single_one_of_any_size_waits(held: Held) -> None:
    held.ask("alice", "huge", size=1 << 20)
    await tick()
    held.ask("alice", "short")
    huge, short = await held.settled()
    assert huge == "huge"
    assert isinstance(short, GraphQLRefusal)


async def test_a_few_who_fill_the_queue_make_room_for_others(held: Held) -> None:
    for principal in range(5):
        for number in range(110):
            held.ask(f"mallory {principal}", f"m {principal} {number}")
    await tick()
    for number in range(50):
        held.ask(f"alice {number}", f"a {number}")
    answers = dict(zip(held.tasks, await held.settled(), strict=True))
    refused = [name for name, answer in answers.items() if isinstance(answer, GraphQLRefusal)]
    assert len(refused) == 100
    assert all(name.startswith("m") for name in refused)


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


async def test_what_goes_wrong_while_looking_is_the_asker_s_own(held: Held) -> None:
    def broken() -> str | None:
        raise GraphQLRefusal("validation-failed", "no")

    held.ask("alice", "broken", broken)
    held.ask("alice", "next")
    await tick()
    first, second = await held.settled()
    assert isinstance(first, GraphQLRefusal)
    assert second == "next"


async def test_the_next_follows_on_one_that_was_cancelled(held: Held) -> None:
    """A future of the executor that was cancelled before it began."""
    held.ask("alice", "next")
    await tick()
    cancelled = asyncio.get_running_loop().create_future()
    cancelled.cancel()
    asker = _Waiting(0, str, lambda: None, asyncio.get_running_loop().create_future())
    held.thread._ended(asker, cancelled)
    assert asker.done.cancelled()
    assert not held.thread._queues
    assert await held.settled() == ["next"]
