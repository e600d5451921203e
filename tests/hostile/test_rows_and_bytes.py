"""Lists inside lists: a few hundred bytes that ask for tens of megabytes, from many connections."""

import pytest

from tests.hostile.attacked_service import AttackedService
from tests.hostile.many_callers import Caller, press
from tests.hostile.scale import scaled

pytestmark = [pytest.mark.anyio, pytest.mark.alone]

LEVELS = 8
MULTIPLIED = "{ nchat_channel_members { " + "channel { channel_members { " * LEVELS + "user_id" + " } }" * LEVELS + " } }"
SECONDS = scaled(15, 5)


@pytest.mark.parametrize("names", [("bob",), ("bob", "carol", "dave")], ids=["one", "three"])
async def test_rows_that_multiply(attacked: AttackedService, names: tuple[str, ...]) -> None:
    callers = [Caller(attacked.bearer(name)) for name in names]
    async with attacked.good_neighbour():
        codes = await press(attacked, callers, MULTIPLIED, connections=14, seconds=SECONDS)
    assert set(codes) <= {"answer-too-large", "rate-limited", "time-limit-exceeded"}
    assert codes["answer-too-large"], codes


async def test_the_same_side_by_side(attacked: AttackedService) -> None:
    levels = 6
    one = "nchat_channel_members { " + "channel { channel_members { " * levels + "user_id" + " } }" * levels + " }"
    query = "{ " + " ".join(f"a{n}: {one}" for n in range(8)) + " }"
    async with attacked.good_neighbour():
        codes = await press(attacked, [Caller(attacked.bearer("bob"))], query, connections=14, seconds=SECONDS)
    assert set(codes) <= {"answer-too-large", "rate-limited", "time-limit-exceeded", "validation-failed"}, codes


async def test_a_large_answer_that_is_allowed(attacked: AttackedService) -> None:
    """Just below the limit, as often as it can be had."""
    levels = 6
    query = "{ nchat_channel_members { " + "channel { channel_members { " * levels + "user_id" + " } }" * levels + " } }"
    async with attacked.good_neighbour():
        codes = await press(
            attacked, [Caller(attacked.bearer("bob")), Caller(attacked.bearer("carol"))], query, connections=14, seconds=SECONDS
        )
    assert codes["data"], codes
