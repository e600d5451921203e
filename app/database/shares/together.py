"""Who asks the same at the same moment is answered by one statement, a batch: each with their own values, by their own rights.

The way to PostgreSQL and back costs both sides more than to find one row. What takes long by itself gains nothing, and is asked alone.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import orjson
import structlog

from app.database.pool import MAX_STATEMENT_BYTES, PoolDatabase
from app.database.shares.pace import Pace
from app.database.shares.turns import Turns
from permissions.errors import GraphQLRefusal
from resolvers.documents.lru import LRU
from resolvers.sql.database import DatabaseError
from resolvers.sql.plan import Plan, listed

log = structlog.get_logger(__name__)

# Seconds that anybody waits for an answer that is given together with others'.
MAY_TAKE: Final = 0.1
# Characters of all arguments of one statement.
CHARACTERS: Final = 1 << 16
# Plans that are remembered, and the characters of their statements.
REMEMBERED: Final = 1_000
REMEMBERED_CHARACTERS: Final = 1 << 22
# In whose name they wait for a place.
TOGETHER: Final = "who asks the same"


class OneOfMany(NamedTuple):
    """One who asks. It is answered with None when it is to ask alone."""

    arguments: Sequence[str | None]
    principal: str
    answered: "asyncio.Future[bytes | None]"


class SamePlan:
    """Those who ask for one plan in this round of the event loop, and how many of them may be answered at once."""

    def __init__(self, sql: str) -> None:
        self.sql, self.pace = sql, Pace()
        self.members: list[OneOfMany] = []
        self.size = 0
        # Statements that run, or wait for a place.
        self.asked = 0

    def most(self, now: float) -> int:
        """How many may be answered by one statement; none while the plan rests, or the first one has yet to say what an answer takes."""
        return self.pace.most(now) if self.pace.is_known or not self.asked else 0


class Together:
    """A statement for many takes one of the places of `turns`, and all of these no more than `places`. Of one principal it answers `share`.

    Only for those who lately asked for little: who asks for much, or is new, might let the others wait. `seconds` is the time limit that
    the pool's connections have anyway; `clock` gives seconds.
    """

    def __init__(self, database: PoolDatabase, turns: Turns, places: int, share: int, seconds: float, clock: Callable[[], float]) -> None:
        self._database, self._turns, self._places, self._share = database, turns, places, share
        self._seconds, self._clock = seconds, clock
        self._plans: LRU[str, SamePlan] = LRU(REMEMBERED, REMEMBERED_CHARACTERS)
        # How many of each principal wait, for whatever plan.
        self._waiting: Counter[str] = Counter()
        self._asking: set[asyncio.Task[None]] = set()

    async def answer(self, plan: Plan, arguments: Sequence[str | None], principal: str) -> bytes | None:
        """What PostgreSQL answers; None to one who is to ask alone, for whatever reason."""
        size = sum(map(len, filter(None, arguments)))
        if size > CHARACTERS or len(plan.sql) > MAX_STATEMENT_BYTES or not self._may_join(principal):
            return None
        same = self._plans.get(plan.sql) or self._remember(plan)
        most = same.most(self._clock())
        if not most or len(same.sql) > MAX_STATEMENT_BYTES:
            return None
        member = OneOfMany(arguments, principal, asyncio.get_running_loop().create_future())
        self._join(same, member, size, most)
        self._waiting[principal] += 1
        try:
            return await member.answered
        finally:
            self._waiting[principal] -= 1
            if not self._waiting[principal]:
                del self._waiting[principal]

    def _may_join(self, principal: str) -> bool:
        return self._waiting[principal] < self._share and self._turns.is_known(principal)

    def _remember(self, plan: Plan) -> SamePlan:
        same = SamePlan(plan.together())
        self._plans.put(plan.sql, same, len(plan.sql) + len(same.sql))
        return same

    def _join(self, same: SamePlan, member: OneOfMany, size: int, most: int) -> None:
        if same.size + size > CHARACTERS:
            self._go(same)
        same.members.append(member)
        same.size += size
        if len(same.members) >= most:
            self._go(same)
        elif len(same.members) == 1:
            # Whoever came with it has had its say by then.
            asyncio.get_running_loop().call_soon(self._go, same)

    def _go(self, same: SamePlan) -> None:
        members = [member for member in same.members if not member.answered.done()]
        same.members, same.size = [], 0
        if len(members) > 1:
            same.asked += 1
            # Nobody's request may end what others wait for.
            task = asyncio.create_task(self._ask(same, members), name="asked together")
            self._asking.add(task)
            task.add_done_callback(self._asking.discard)
        else:
            _leave(members)

    async def _ask(self, same: SamePlan, members: Sequence[OneOfMany]) -> None:
        """Answers them, or lets them ask alone: one of them is to blame then, and hears of it."""
        # To end a statement may take longer than it was given, and nobody waits for that.
        patience = asyncio.get_running_loop().call_later(MAY_TAKE, _leave, members)
        try:
            self._tell(same, members, await self._fetch(same.sql, members))
        except GraphQLRefusal:
            # Too many wait for a place, whatever they ask.
            pass
        except (DatabaseError, TimeoutError, orjson.JSONEncodeError):
            same.pace.stop(self._clock())
        except Exception:
            # A fault of ours: no request is lost by it, for each asks alone.
            same.pace.stop(self._clock())
            log.error("asked_together_failed", exc_info=True)
        finally:
            same.asked -= 1
            patience.cancel()
            _leave(members)

    async def _fetch(self, sql: str, members: Sequence[OneOfMany]) -> Sequence[Sequence[Any]]:
        turn = self._turns.turn(TOGETHER, self._places)
        try:
            async with turn, asyncio.timeout(MAY_TAKE):
                if all(member.answered.done() for member in members):
                    return []
                return await self._database.fetch_rows(sql, [listed(member.arguments for member in members)], seconds=self._seconds)
        finally:
            # Each of them is charged for what is theirs, and a plan that takes long rests.
            turn.share.forgive(self._clock())

    def _tell(self, same: SamePlan, members: Sequence[OneOfMany], rows: Sequence[Sequence[Any]]) -> None:
        before, size = 0.0, 0
        for number, body, seconds in rows:
            member = members[number - 1]
            if not member.answered.done():
                member.answered.set_result(body)
            self._turns.charge(member.principal, seconds - before)
            before, size = seconds, size + len(body)
        if rows:
            same.pace.learn(len(rows), before, size, self._clock())


def _leave(members: Sequence[OneOfMany]) -> None:
    """Who has no answer asks alone."""
    for member in members:
        if not member.answered.done():
            member.answered.set_result(None)
