"""The whole service, and a call that strangers must not find."""

from collections.abc import AsyncIterator

import pytest
from graphql import GraphQLSchema, build_client_schema, get_introspection_query

from devstack.livekit_simulator import Simulator
from tests.support.whole_service import Caller, WholeService, service_and_simulator, simulated, whole_service
from tests.trials.hidden_call import Hidden, hide


@pytest.fixture
async def service(demo_database_url: str) -> AsyncIterator[WholeService]:
    """Told nothing by LiveKit, so that nothing but requests can change a row."""
    async with simulated(None) as (_, url), whole_service(demo_database_url, url) as ready:
        yield ready


@pytest.fixture
async def hidden(service: WholeService, demo_database_url: str) -> Hidden:
    return await hide(service, demo_database_url)


@pytest.fixture
async def lively(demo_database_url: str) -> AsyncIterator[tuple[WholeService, Simulator]]:
    """The service and a LiveKit that tells it everything."""
    async with service_and_simulator(demo_database_url) as both:
        yield both


async def schema_of(caller: Caller) -> GraphQLSchema:
    """What this caller's role sees, by introspection."""
    return build_client_schema(await caller.data(get_introspection_query(descriptions=False)))
