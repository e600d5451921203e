"""Many short compilations of one principal leave the event loop, like one long one."""

import threading

import pytest

from permissions.session import Session
from resolvers.compile import compile_operation
from resolvers.documents.request import Request
from resolvers.loop_share import LoopShare
from tests.engine.library import Library


def test_what_was_taken_is_forgiven_with_time() -> None:
    now = [100.0]
    share = LoopShare(lambda: now[0])
    assert share.is_left("mallory")
    share.take("mallory", 2_000)
    assert not share.is_left("mallory")
    assert share.is_left("alice")
    now[0] += 0.4
    assert not share.is_left("mallory")
    now[0] += 0.2
    assert share.is_left("mallory")


def test_nobody_saves_up() -> None:
    now = [100.0]
    share = LoopShare(lambda: now[0])
    share.take("mallory", 10)
    now[0] += 1_000
    share.take("mallory", 1_600)
    assert not share.is_left("mallory")


@pytest.mark.anyio
async def test_a_flood_of_short_documents_leaves_the_loop(books: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[str] = []

    def compiled(*given: object) -> object:
        threads.append(threading.current_thread().name)
        return compile_operation(*given)  # type: ignore[arg-type]

    monkeypatch.setattr("resolvers.planner.compile_operation", compiled)
    monkeypatch.setattr(books.engine._planner, "_share", LoopShare(lambda: 100.0))

    async def ask(principal: str, number: int) -> None:
        fields = " ".join(f"a{number}x{index}: id" for index in range(100))
        await books.engine.execute(Request(f"{{ book {{ {fields} }} }}", principal=principal), Session("admin"))

    for number in range(20):
        await ask("mallory", number)
    on_thread = [name.startswith("compile") for name in threads]
    assert not on_thread[0]
    assert on_thread[-1]
    assert on_thread == sorted(on_thread)
    await ask("alice", 0)
    await ask("alice", 99)
    assert not threads[-1].startswith("compile")
