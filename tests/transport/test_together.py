"""Who asks the same at the same moment, on a real PostgreSQL: one statement, and nobody's fault is another's."""

import asyncio
import json
import os
import re
import signal
from collections.abc import AsyncIterator, Sequence

import asyncpg
import pytest

from app.database.shares.pace import LARGEST
from app.database.shares.shared_pool import SharedPool, StatementLimits
from app.database.shares.together import CHARACTERS, MAY_TAKE
from resolvers.sql.database import Asker, DatabaseError
from resolvers.sql.plan import Plan
from tests.support.waiting import eventually
from tests.transport.test_shared_pool import open_shared

pytestmark = pytest.mark.anyio

REQUESTS = 10
SHARE = 4
USERS = [Asker(f"user {number}") for number in range(12)]
STRANGERS = [Asker(f"stranger {number}") for number in range(8)]


def asking(sql: str) -> Plan:
    """A plan of one argument, wherever `$1` stands."""
    places = tuple(match.start() for match in re.finditer(r"\$1", sql))
    return Plan(sql, places, (lambda *_: None,), frozenset())


# In one statement all have the moment of the same transaction.
WHO_AND_WHEN = asking("SELECT json_build_array(CAST($1 AS text), now())")
ALSO_WHO_AND_WHEN = asking("SELECT json_build_array(CAST($1 AS text), now(), 'also')")
STATEMENT = asking("SELECT to_json(current_query()) WHERE CAST($1 AS text) IS NOT NULL")
A_NUMBER = asking("SELECT to_json(CAST(CAST($1 AS text) AS integer))")
# As long as its argument says.
A_WHILE = asking("SELECT to_json(CAST(pg_sleep(CAST(CAST($1 AS text) AS float8)) AS text))")
SLEEPING = "SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()"
NOTHING = b'""'
# Seconds that the pool gives a statement to end after it was asked to.
NEVER_ENDED = 10.0


@pytest.fixture
async def shared(empty_database_url: str) -> AsyncIterator[SharedPool]:
    async with open_shared(empty_database_url, StatementLimits(share=SHARE), REQUESTS) as pool:
        for user in USERS:
            # From now on they are known to ask for little.
            await pool.request(user).fetch_json("SELECT to_json(1)", [])
        yield pool


async def at_once(shared: SharedPool, plan: Plan, asked: Sequence[tuple[Asker, str]]) -> list[bytes | BaseException]:
    return await asyncio.gather(*(shared.answer(plan, [value], asker) for asker, value in asked), return_exceptions=True)


def statements(answers: Sequence[bytes | BaseException], askers: Sequence[Asker]) -> int:
    """How many answered all of them, who were answered with what is theirs."""
    found = [json.loads(answer) for answer in answers if isinstance(answer, bytes)]
    assert [who for who, *_ in found] == [asker.principal for asker in askers]
    return len({when for _, when, *_ in found})


async def asked_at_once(shared: SharedPool, askers: Sequence[Asker], plan: Plan = WHO_AND_WHEN) -> int:
    return statements(await at_once(shared, plan, [(asker, asker.principal) for asker in askers]), askers)


async def known_to_be_quick(shared: SharedPool, askers: Sequence[Asker], plan: Plan = WHO_AND_WHEN, *, expected: int = 1) -> None:
    async def so_many_statements() -> bool:
        return await asked_at_once(shared, askers, plan) == expected

    await eventually(so_many_statements)


async def sleeping(other: "asyncpg.Connection", number: int) -> list[int]:
    """The processes of so many statements that take a while."""
    found = list[int]()

    async def so_many() -> bool:
        found[:] = [row["pid"] for row in await other.fetch(SLEEPING)]
        return len(found) == number

    await eventually(so_many)
    return found


async def test_who_asks_the_same_at_once_is_answered_by_one_statement_once_it_is_known_to_be_quick(shared: SharedPool) -> None:
    assert await asked_at_once(shared, USERS[:2]) == 1
    await known_to_be_quick(shared, USERS)


async def test_who_asks_alone_asks_the_plain_statement(shared: SharedPool) -> None:
    assert [json.loads(await shared.answer(STATEMENT, ["x"], user)) for user in USERS] == [STATEMENT.sql] * len(USERS)
    assert await at_once(shared, STATEMENT, [(user, "x") for user in USERS[:2]]) == [json.dumps(STATEMENT.together()).encode()] * 2


async def test_an_error_is_told_to_the_one_whose_it_is(shared: SharedPool) -> None:
    found = await at_once(shared, A_NUMBER, [(user, "none" if user is USERS[3] else "7") for user in USERS])

    assert isinstance(found[3], DatabaseError) and "none" in str(found[3])
    assert [answer for answer in found if answer is not found[3]] == [b"7"] * (len(USERS) - 1)


async def test_what_no_encoding_has_is_refused_to_the_one_who_sent_it(shared: SharedPool) -> None:
    found = await at_once(shared, WHO_AND_WHEN, [(user, "\ud800" if user is USERS[1] else "well") for user in USERS[:2]])

    assert isinstance(found[0], bytes) and isinstance(found[1], DatabaseError)


async def test_who_takes_long_lets_the_others_wait_for_a_moment_once(shared: SharedPool) -> None:
    now = asyncio.get_running_loop().time
    slow, began = asyncio.create_task(shared.answer(A_WHILE, ["60"], USERS[0])), now()
    try:
        assert await at_once(shared, A_WHILE, [(user, "0") for user in USERS[1:]]) == [NOTHING] * (len(USERS) - 1)
        assert now() - began >= MAY_TAKE and not slow.done()
        # Nobody is put together with that again so soon.
        again = asyncio.create_task(shared.answer(A_WHILE, ["60"], USERS[2]))
        assert await shared.answer(A_WHILE, ["0"], USERS[1]) == NOTHING
        assert not again.done()
    finally:
        slow.cancel()
        again.cancel()


async def test_nobody_waits_for_a_statement_that_can_not_be_ended(shared: SharedPool, other: "asyncpg.Connection") -> None:
    slow = asyncio.create_task(shared.answer(A_WHILE, ["0.09"], USERS[0]))
    quick = asyncio.create_task(shared.answer(A_WHILE, ["0"], USERS[1]))
    (process,) = await sleeping(other, 1)
    os.kill(process, signal.SIGSTOP)
    began = asyncio.get_running_loop().time()
    try:
        assert await quick == NOTHING
        assert asyncio.get_running_loop().time() - began < NEVER_ENDED
    finally:
        os.kill(process, signal.SIGCONT)
    assert await slow == NOTHING


async def test_plans_that_take_long_by_themselves_are_asked_alone(shared: SharedPool, other: "asyncpg.Connection") -> None:
    await at_once(shared, A_WHILE, [(user, "0.01") for user in USERS[:2]])
    asked = asyncio.create_task(at_once(shared, A_WHILE, [(user, "0.3") for user in USERS[:2]]))

    await sleeping(other, 2)
    assert await asked == [NOTHING] * 2


async def test_what_is_answered_together_is_charged_to_each(shared: SharedPool, other: "asyncpg.Connection") -> None:
    await known_to_be_quick(shared, USERS[:2])
    assert await at_once(shared, A_WHILE, [(USERS[0], "0.05"), (USERS[1], "0")]) == [NOTHING] * 2

    # Who asked for much asks alone until it has asked for little.
    assert await asked_at_once(shared, USERS[:2]) == 2
    await known_to_be_quick(shared, USERS[:2])


async def test_of_one_principal_a_few_are_answered_at_once(shared: SharedPool) -> None:
    many = [*[USERS[0]] * (SHARE + 1), USERS[1]]
    await known_to_be_quick(shared, many[1:])
    assert await asked_at_once(shared, many) == 2

    also = [(user, user.principal) for user in many[1:]]
    await known_to_be_quick(shared, many[1:], ALSO_WHO_AND_WHEN)
    both = await asyncio.gather(at_once(shared, WHO_AND_WHEN, also), at_once(shared, ALSO_WHO_AND_WHEN, also))
    # Of the second plan there is one left, who is alone.
    assert [statements(answers, many[1:]) for answers in both] == [1, len(also)]


async def test_strangers_ask_alone(shared: SharedPool) -> None:
    assert await asked_at_once(shared, STRANGERS[:4]) == 4


async def test_a_crowd_is_answered_together_while_strangers_have_all_other_places(shared: SharedPool, other: "asyncpg.Connection") -> None:
    await known_to_be_quick(shared, USERS)
    slow = [asyncio.create_task(shared.answer(A_WHILE, ["60"], stranger)) for stranger in STRANGERS]
    try:
        await sleeping(other, len(STRANGERS))
        await known_to_be_quick(shared, USERS)
    finally:
        for each in slow:
            each.cancel()
        await asyncio.gather(*slow, return_exceptions=True)


async def test_who_brings_much_asks_alone(shared: SharedPool) -> None:
    large = [(user, user.principal + "x" * (CHARACTERS // 2)) for user in USERS[:2]]
    found = [json.loads(answer) for answer in await at_once(shared, WHO_AND_WHEN, large) if isinstance(answer, bytes)]

    assert [who for who, _ in found] == [value for _, value in large]
    assert len({when for _, when in found}) == 2


async def test_who_leaves_takes_nothing_from_the_others(shared: SharedPool) -> None:
    leaving = asyncio.create_task(shared.answer(WHO_AND_WHEN, ["nobody"], USERS[0]))
    asked = asyncio.create_task(asked_at_once(shared, USERS[1:3]))
    await asyncio.sleep(0)
    leaving.cancel()

    assert await asked
    with pytest.raises(asyncio.CancelledError):
        await leaving


async def test_a_lost_connection_is_replaced_for_all(shared: SharedPool, other: "asyncpg.Connection") -> None:
    await asked_at_once(shared, USERS[:2])
    await other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'nchat-rtc graphql'")

    assert await asked_at_once(shared, USERS[:2])


async def test_no_statement_answers_more_than_so_many(shared: SharedPool) -> None:
    many = [user for user in USERS for _ in range(SHARE)]
    assert len(many) == 3 * LARGEST

    await known_to_be_quick(shared, many, expected=3)
