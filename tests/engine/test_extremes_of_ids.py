"""`max` and `min` of uuid columns, which the schema offers and PostgreSQL 18 has no function for."""

from uuid import UUID

import pytest

from tests.calls.call_states import group
from tests.support.actions import api
from tests.support.domain_setup import ALICE, BOB, CAROL, session, setup

QUERY = """
    query ($call: uuid!, $nothing: uuid!) {
        people: nchat_call_participants_aggregate(where: {call_id: {_eq: $call}}) { aggregate { max { user_id } min { user_id } } }
        nobody: nchat_call_participants_aggregate(where: {call_id: {_eq: $nothing}}) { aggregate { max { user_id } } }
        calls: nchat_calls(order_by: {call_participants_aggregate: {max: {user_id: asc}}}) { id }
    }
"""


@pytest.mark.anyio
async def test_ids_have_a_first_and_a_last(database_url: str) -> None:
    async with setup(database_url) as on, api(on) as client:
        call_id = await group(on)
        data = await client.data(session(BOB), QUERY, {"call": str(call_id), "nothing": str(UUID(int=0))})
    assert data["people"]["aggregate"] == {"max": {"user_id": str(CAROL)}, "min": {"user_id": str(ALICE)}}
    assert data["nobody"]["aggregate"] == {"max": {"user_id": None}}
    assert data["calls"] == [{"id": str(call_id)}]
