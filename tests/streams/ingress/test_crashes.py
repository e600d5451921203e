"""The service dies around each commit and each question to LiveKit: no key opens a door that no stream has, and the host gets another."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace

import pytest

from domain.errors import ActionError
from domain.ports import IngressWanted, NewIngress
from domain.streams.ingress.reset import reset_stream_ingress
from domain.world import Transaction, Transactions
from tests.streams.ingress.conftest import EncodedStream
from tests.support.call_sites import DOMAIN, transactions
from tests.support.domain_setup import ALICE, session
from tests.support.fake_ingests import FakeIngests

pytestmark = pytest.mark.anyio
COMMITS = sorted(set(transactions(sorted((DOMAIN / "streams" / "ingress").glob("*.py")))))


class Died(BaseException):
    """The process is gone."""


@dataclass
class Death:
    """Comes once, at this moment of this name."""

    name: str
    moment: str
    came: bool = False

    def at(self, name: str, moment: str) -> None:
        if not self.came and (name, moment) == (self.name, self.moment):
            self.came = True
            raise Died


@dataclass
class DeadlyTransactions:
    inner: Transactions
    death: Death

    @asynccontextmanager
    async def __call__(self, name: str) -> AsyncIterator[Transaction]:
        async with self.inner(name) as tx:
            yield tx
            self.death.at(name, "before")
        self.death.at(name, "after")


class DeadlyIngests(FakeIngests):
    """Shares everything with the one that lives."""

    death: Death

    async def create(self, wanted: IngressWanted) -> NewIngress:
        self.death.at("create", "before")
        made = await FakeIngests.create(self, wanted)
        self.death.at("create", "after")
        return made

    async def delete(self, ingress_id: str) -> None:
        self.death.at("delete", "before")
        await FakeIngests.delete(self, ingress_id)
        self.death.at("delete", "after")

    async def present(self, room: str) -> frozenset[str]:
        self.death.at("present", "before")
        return await FakeIngests.present(self, room)


def deadly(stream: EncodedStream, death: Death) -> None:
    alive = stream.on.ingests
    dying = DeadlyIngests(alive.ingresses, alive.wanted, alive.deleted, alive.inside, alive.broken)
    dying.death = death
    stream.on.world = replace(stream.on.world, transaction=DeadlyTransactions(stream.on.world.transaction, death), ingests=dying)


async def survive(step: Callable[[], Awaitable[object]]) -> None:
    """The step; after a death it is done again by whoever follows, who may be refused what was done already."""
    try:
        await step()
    except Died:
        with suppress(ActionError):
            await step()


# Before and after are the same where nothing is written.
ONLY_READ = {"ingress.any", "ingress.ask", "ingress.retired", "ingress.publishing"}
MOMENTS = [(name, moment) for name in COMMITS for moment in (("after",) if name in ONLY_READ else ("before", "after"))]
MOMENTS += [(name, moment) for name in ("create", "delete") for moment in ("before", "after")] + [("present", "before")]


@pytest.mark.parametrize(("name", "moment"), MOMENTS)
async def test_around_each_commit_and_question(stream: EncodedStream, name: str, moment: str) -> None:
    death = Death(name, moment)
    deadly(stream, death)
    if name == "ingress.failed":
        stream.on.ingests.broken.add("create")
        with suppress(ActionError):
            await survive(stream.start)
        stream.on.ingests.broken.clear()
    await survive(stream.start)
    with suppress(ActionError):
        await survive(lambda: reset_stream_ingress(stream.on.world, session(ALICE), stream.id))
    if stream.on.ingests.ingresses:
        stream.says("publishing")
    for seconds in (10, 70):
        await survive(lambda seconds=seconds: stream.round(seconds))  # type: ignore[misc]
    stream.on.ingests.inside.clear()
    for _ in range(2):
        await survive(stream.round)
    wanted = await stream.ingress()
    assert wanted is not None
    assert set(stream.on.ingests.ingresses) == {wanted.ingress_id} - {None}
    way_in = (await reset_stream_ingress(stream.on.world, session(ALICE), stream.id)).way_in
    assert way_in.stream_key and len(stream.on.ingests.ingresses) == 1
    await stream.become("ended")
    await survive(stream.round)
    await survive(lambda: stream.round(70))
    assert stream.on.ingests.ingresses == {}
    assert all(row["removed_at"] and row["stream_key_encrypted"] is None for row in await stream.rows())
    assert death.came
