"""How long the event loop is held by one step of any of the attacks, in the processor's time: no neighbour and no busy machine in it."""

import asyncio
import time
from asyncio import events
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import orjson
import pytest

from app.graphql.request_body import parse_body
from app.service import Service, open_service
from app.settings import load_settings
from devstack.demo_data import USER_IDS
from permissions.errors import GraphQLRefusal
from permissions.session import Session
from resolvers.documents.request import Request
from tests.hostile.test_compile import DOCUMENTS, variables
from tests.hostile.test_introspection import FULL, MULTIPLY

pytestmark = [pytest.mark.anyio, pytest.mark.alone]

LONGEST = 0.05
USER = Session("user", {"x-hasura-role": "user", "x-hasura-user-id": str(USER_IDS["bob"])})
ANONYMOUS = Session("anonymous", {"x-hasura-role": "anonymous"})


def attacks() -> dict[str, Any]:
    """Bodies of requests by what they are."""
    named: dict[str, Any] = {name: {"query": document(1)} for name, document in DOCUMENTS.items()}
    named |= {f"introspection {number}": {"query": document} for number, document in enumerate(MULTIPLY)}
    named |= {f"variables {number}": body for number, body in enumerate(variables(1))}
    return named | {"the whole schema": {"query": FULL}}


@pytest.fixture
async def service(demo_database_url: str) -> AsyncIterator[Service]:
    async with open_service(load_settings(database_url=demo_database_url, livekit_enabled=False), None, lambda *_: None) as opened:
        yield opened


@contextmanager
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """The seconds that each step of the loop takes of this thread's own time."""
    steps: list[float] = []
    run = events.Handle._run

    def timed(handle: asyncio.Handle) -> None:
        began = time.thread_time()
        run(handle)
        steps.append(time.thread_time() - began)

    with monkeypatch.context() as patched:
        patched.setattr(events.Handle, "_run", timed)
        yield steps


@pytest.mark.parametrize("session", [USER, ANONYMOUS], ids=lambda session: session.role)
async def test_no_step_is_long(session: Session, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    await service.engine.execute(Request("{ __typename }"), session)  # a role's schema is made when it is first asked for
    long: dict[str, float] = {}
    for name, body in attacks().items():
        with held(monkeypatch) as steps:
            await asyncio.create_task(_answer(service, name, orjson.dumps(body), session))
        long |= {name: max(steps)} if max(steps) > LONGEST else {}
    assert long == {}


async def _answer(service: Service, name: str, body: bytes, session: Session) -> None:
    """As HTTP does it; each attack is another principal's."""
    try:
        request = await service.engine.apart(name, partial(parse_body, body, name))
    except GraphQLRefusal:
        return
    assert isinstance(request, Request)
    await service.engine.execute(request, session)
