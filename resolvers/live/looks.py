"""Looks at the database for members of a cohort: many in one statement, each with an answer of its own."""

import asyncio
import math
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from permissions.errors import RATE_LIMITED, GraphQLRefusal
from resolvers.live.faults import is_servers
from resolvers.live.live_query import Values
from resolvers.live.member import SECONDS, Member, batches, rows_of
from resolvers.run.database_refusals import refusal
from resolvers.run.unexpected_errors import unexpected
from resolvers.sql.database import Asker, DatabaseError, GaveWay, LookDatabase, SharedDatabase, TookTooLong
from resolvers.sql.live_plan import LivePlan

Batch = Sequence[Sequence[Member]]


class Looks:
    """Runs the statement of a cohort."""

    def __init__(self, plan: LivePlan, shared: Values, database: SharedDatabase) -> None:
        self._plan, self._shared, self._database = plan, shared, database

    async def one(self, member: Member, askers: Collection[Asker]) -> Any:
        """What the member makes of its answer, which is at least as new as the beginning of this call.

        Raises GraphQLRefusal when it is not its turn, or takes too long.
        """
        try:
            async with self._database.look(askers) as database:
                number, began = member.begin(), _now()
                try:
                    ((_, body, *more),) = await self._fetch(database, [[member]])
                except (GaveWay, TookTooLong):
                    raise
                except DatabaseError as error:
                    return member.refuse(number, error)
                finally:
                    member.took = _now() - began
        except (GaveWay, TookTooLong) as error:
            raise refusal(error) or unexpected(error) from error
        return member.answer(number, body, *more)

    async def all(self, members: Iterable[Member]) -> list[float]:
        """Gives each its answer; who has no turn now keeps what it has. Returns the seconds that each statement took."""
        async with asyncio.TaskGroup() as tasks:
            looking = [tasks.create_task(self._look(batch)) for batch in batches(rows_of(members))]
        return [task.result() for task in looking]

    async def _look(self, batch: Batch) -> float:
        # Who left in the meantime is not asked for.
        batch = [row for row in batch if any(member.askers for member in row)]
        askers = {asker for row in batch for member in row for asker in member.askers}
        if not batch:
            return 0.0
        try:
            async with self._database.look(askers) as database:
                return await self._ask(database, batch)
        except GaveWay:
            return 0.0
        except TookTooLong as error:
            return await self._too_long(batch, error)
        except DatabaseError:
            # One of them is to blame; the others shall not wait for it.
            middle = len(batch) // 2
            return await self._look(batch[:middle]) + await self._look(batch[middle:])
        except GraphQLRefusal as refused:
            if not has_no_turn(refused):
                raise
            return 0.0

    async def _ask(self, database: LookDatabase, batch: Batch) -> float:
        """Raises DatabaseError when it may be the fault of one of several."""
        numbered = [[(member, member.begin()) for member in row] for row in batch]
        began = _now()
        try:
            found = await self._fetch(database, batch)
        except (GaveWay, TookTooLong):
            raise
        except DatabaseError as error:
            if len(batch) > 1 and not is_servers(error):
                raise
            for member, number in (one for row in numbered for one in row):
                member.refuse(number, error)
            return _now() - began
        finally:
            took = _now() - began
            _note(batch, took)
        for place, body, *more in found:
            for member, number in numbered[place - 1]:
                member.answer(number, body, *more)
        # What takes long goes by itself from now on, and rests by itself.
        return min(took, SECONDS)

    async def _fetch(self, database: LookDatabase, batch: Batch) -> Sequence[Sequence[Any]]:
        return await database.fetch_rows(self._plan.sql, self._plan.arguments(self._shared, [row[0].own for row in batch]))

    async def _too_long(self, batch: Batch, error: TookTooLong) -> float:
        """By what each took they are fewer now in each statement. That is for once, and no reason to rest."""
        if len(batch) == 1:
            for member in batch[0]:
                member.end(refusal(error) or unexpected(error))
            return 0.0
        smaller = list(batches(batch))
        if len(smaller) == 1:
            smaller = [list(batch[: len(batch) // 2]), list(batch[len(batch) // 2 :])]
        async with asyncio.TaskGroup() as tasks:
            for part in smaller:
                tasks.create_task(self._look(part))
        return 0.0


def has_no_turn(refused: GraphQLRefusal) -> bool:
    """Whether the same look may succeed later."""
    return refused.code == RATE_LIMITED or isinstance(refused.__cause__, GaveWay)


def _note(batch: Batch, took: float) -> None:
    """Each took its part, and more where all together took too long: one is to blame, who is found among fewer and fewer.

    One that took long is believed to be quick again only step by step: it may hide among the others.
    """
    part = took / (len(batch) if took <= SECONDS else math.sqrt(len(batch)))
    for member in (member for row in batch for member in row):
        member.took = took if len(batch) == 1 else max(part, member.took / 2)


def _now() -> float:
    return asyncio.get_running_loop().time()
