"""The system's resolver, which may keep a thread for as long as it likes: of whose names, and of nobody else's."""

import asyncio
import threading
from collections.abc import Iterator
from ipaddress import ip_address

import pytest

from app.adapters.host_names import EACH, SystemHostNames
from domain.ports import Unresolvable
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio
FOUND = "93.184.216.34"


class Resolver:
    """Answers at once, but for names that are slow: for these not before it is let go."""

    def __init__(self) -> None:
        self.asked, self._let_go = list[str](), threading.Event()

    def __call__(self, host: str) -> list[str]:
        self.asked.append(host)
        if host.startswith("slow"):
            self._let_go.wait(30)
        return [FOUND]

    def let_go(self) -> None:
        self._let_go.set()

    async def end(self, names: SystemHostNames) -> None:
        """No thread is left that answers to nobody."""
        self.let_go()
        await asyncio.gather(*(names.addresses(host, host) for host in set(self.asked)))


@pytest.fixture
def resolver() -> Iterator[Resolver]:
    made = Resolver()
    yield made
    made.let_go()


async def test_slow_names_of_one_take_nobody_else_s_turn(resolver: Resolver) -> None:
    names = SystemHostNames(0.3, threads=EACH + 1, look=resolver)
    slow = [names.addresses(f"slow-{number}", "mallory") for number in range(20)]
    *given_up, found = await asyncio.gather(*slow, names.addresses("quick", "alice"), return_exceptions=True)
    assert found == [ip_address(FOUND)]
    assert {type(one) for one in given_up} == {Unresolvable}
    assert len([one for one in resolver.asked if one.startswith("slow")]) == EACH
    await resolver.end(names)


async def test_a_slow_name_has_one_thread_whoever_asks_and_however_often(resolver: Resolver) -> None:
    names = SystemHostNames(0.2, threads=EACH + 1, look=resolver)
    asked = [names.addresses("slow", whose) for whose in ("alice", "bob", "alice", "alice")]
    assert {type(one) for one in await asyncio.gather(*asked, return_exceptions=True)} == {Unresolvable}
    with pytest.raises(Unresolvable):
        await names.addresses("slow", "alice")
    assert resolver.asked == ["slow"]
    await resolver.end(names)


async def test_who_waits_for_a_place_gets_it(resolver: Resolver) -> None:
    names = SystemHostNames(20, threads=1, look=resolver)
    first, second = (asyncio.create_task(names.addresses(host, host)) for host in ("slow", "quick"))

    async def begun() -> bool:
        return bool(resolver.asked)

    await eventually(begun)
    assert resolver.asked == ["slow"]
    resolver.let_go()
    assert list(await asyncio.gather(first, second)) == [[ip_address(FOUND)]] * 2


async def test_what_the_system_says_in_words_is_not_told() -> None:
    def nobody_knows(host: str) -> list[str]:
        raise OSError(f"{host} is not known")

    with pytest.raises(Unresolvable, match=r"^OSError$"):
        await SystemHostNames(look=nobody_knows).addresses("secret.example", "alice")


async def test_the_real_one() -> None:
    assert ip_address("127.0.0.1") in await SystemHostNames().addresses("localhost", "alice")
