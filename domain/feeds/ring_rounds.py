"""What looks for the rings of all who wait in a process: one statement a second, whatever their number."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import Context
from typing import Final
from uuid import UUID

import orjson
import structlog

from domain.feeds.ring_question import Known, RingQuestion
from domain.hub import AskAnew, Following, Hub
from domain.world import ServedRules, Transactions
from permissions.session import Session

log = structlog.get_logger(__name__)

LOOK_EVERY: Final = 1.0
# In one statement.
ASKED_AT_ONCE: Final = 2_000
# Seconds for a database that fails over.
PATIENCE: Final = 30.0
# A hint that never comes: the rounds do not need it.
FOREVER: Final = 3600.0
# The class of SQLSTATEs of a value that PostgreSQL can't read.
BAD_VALUE: Final = "22"


class RingFollower:
    """`domain.world.RingFollowing`: one device of a person.

    `knows` is set while it waits.
    """

    def __init__(self, role: str, user_id: UUID, values: tuple[str, ...], following: Following) -> None:
        self.role, self._user_id, self._values, self._following = role, user_id, values, following
        self.knows: Known | None = None
        self._over: Exception | None = None

    async def changed(self, known: Mapping[UUID, str]) -> None:
        rings = orjson.dumps({str(call_id): since for call_id, since in known.items()}).decode()
        self.knows = Known(self._user_id, rings, len(known), self._values)
        try:
            await self._following.changed(FOREVER)
        finally:
            self.knows = None
        if self._over is not None:
            raise self._over

    def wake(self) -> None:
        """It shall look."""
        self._following.notify()

    def end(self, error: Exception) -> None:
        """Nobody can say any more what rings."""
        self._over, self.knows = error, None
        self.wake()


class RingRounds:
    """`domain.world.RingWatch`. It looks as long as somebody follows; a hint wakes the one whom it is for, without it."""

    def __init__(self, transaction: Transactions, hub: Hub, rules: ServedRules, *, look_every: float = LOOK_EVERY) -> None:
        self._transaction, self._hub, self._rules, self._look_every = transaction, hub, rules, look_every
        self._questions: dict[str, RingQuestion] = {}
        self._followers: dict[RingFollower, None] = {}
        self._looking: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def follow(self, session: Session) -> AsyncIterator[RingFollower]:
        user_id = session.user_id
        self._question(session.role).values(session)
        async with self._hub.follow([f"user:{user_id}"]) as following:
            follower = RingFollower(session.role, user_id, self._question(session.role).values(session), following)
            self._followers[follower] = None
            if self._looking is None:
                # In nobody's name: whoever came first may be gone while others follow.
                self._looking = asyncio.create_task(self._keep_looking(), name="rings", context=Context())
            try:
                yield follower
            finally:
                del self._followers[follower]
                await self._rest()

    def begin_anew(self) -> None:
        """The rules are others now: whoever follows gets AskAnew."""
        self._questions.clear()
        for follower in list(self._followers):
            follower.end(AskAnew())

    async def _rest(self) -> None:
        if self._followers or self._looking is None:
            return
        looking, self._looking = self._looking, None
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)

    def _question(self, role: str) -> RingQuestion:
        question = self._questions.get(role)
        if question is None:
            question = self._questions[role] = RingQuestion(self._rules.now, role)
        return question

    async def _keep_looking(self) -> None:
        # Since when the question of a role fails.
        fails: dict[str, float] = {}
        while True:
            # Who has just come has looked.
            await asyncio.sleep(self._look_every)
            for role, followers in self._waiting().items():
                try:
                    await self._look(role, followers)
                except Exception as error:
                    if role not in fails:
                        log.warning("rings_unread", role=role, exc_info=True)
                    if _now() - fails.setdefault(role, _now()) > PATIENCE:
                        self._give_up(role, error)
                else:
                    fails.pop(role, None)

    def _waiting(self) -> dict[str, dict[Known, list[RingFollower]]]:
        by_role: dict[str, dict[Known, list[RingFollower]]] = defaultdict(lambda: defaultdict(list))
        for follower in self._followers:
            if follower.knows is not None:
                # The same person on several devices is one question.
                by_role[follower.role][follower.knows].append(follower)
        return by_role

    async def _look(self, role: str, followers: Mapping[Known, Sequence[RingFollower]]) -> None:
        """Wakes those for whom something else rings than they know."""
        all_known = list(followers)
        for start in range(0, len(all_known), ASKED_AT_ONCE):
            await self._ask(role, all_known[start : start + ASKED_AT_ONCE], followers)

    async def _ask(self, role: str, all_known: Sequence[Known], followers: Mapping[Known, Sequence[RingFollower]]) -> None:
        try:
            async with self._transaction("rings.look") as tx:
                to_look = await self._question(role).ask(tx, all_known)
        except Exception as error:
            if not getattr(error, "sqlstate", "").startswith(BAD_VALUE):
                raise
            await self._ask_apart(role, all_known, followers)
            return
        for place in to_look:
            for follower in followers[all_known[place]]:
                follower.wake()

    async def _ask_apart(self, role: str, all_known: Sequence[Known], followers: Mapping[Known, Sequence[RingFollower]]) -> None:
        """One bad value is its owner's trouble, not that of the others in the statement: it is said where that one looks."""
        if len(all_known) == 1:
            for follower in followers[all_known[0]]:
                follower.wake()
            return
        half = len(all_known) // 2
        await self._ask(role, all_known[:half], followers)
        await self._ask(role, all_known[half:], followers)

    def _give_up(self, role: str, error: Exception) -> None:
        for follower in list(self._followers):
            if follower.role == role:
                follower.end(error)


def _now() -> float:
    return asyncio.get_running_loop().time()
