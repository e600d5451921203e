"""Whose statement runs next: each principal has a share of a few places, and long statements leave some of them to others.

A principal whose statements lately took long is heavy, and so is a statement that takes long. All heavy ones together have only
some of the places; when more have become heavy since they began, and others wait, those who took most give theirs up. Where this process
or the database stood still nobody took anything: a place is taken away only after the database has answered a question asked since.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Collection
from types import TracebackType
from typing import Final, Self

from app.database.shares.proof_of_life import ProofOfLife
from app.database.shares.share import GRACE, HEAVY, Places, Share
from app.database.shares.waiting_line import WaitingLine
from permissions.errors import RATE_LIMITED, GraphQLRefusal
from resolvers.sql.database import GaveWay

# Seconds. Nobody becomes heavy, or loses a place, within this time.
SAFE: Final = 0.25
SWEEP_EVERY: Final = 0.1
# What it costs to have had to give a place up: heavy for two half-lives.
GAVE_UP: Final = 4 * HEAVY
# Principals that are remembered while they ask nothing.
REMEMBERED: Final = 10_000

_Share = Share["Turn"]


class Turns:
    """The places of one kind of work. `clock` gives seconds; `lives` shows whether the database answers, without it it always does."""

    def __init__(self, places: Places, clock: Callable[[], float], lives: ProofOfLife | None = None) -> None:
        self._places, self._clock, self._lives = places, clock, lives
        self._shares: dict[str, _Share] = {}
        self._running: set[Turn] = set()
        if lives is not None:
            lives.watch(self._running)
        # Of those that run: heavy ones, and light ones whose principals were not known.
        self._heavy = self._new = 0
        self._line: WaitingLine[Turn] = WaitingLine()
        # Who waits, and until when, the first to lose patience first: one look for all is cheaper than a timer for each.
        self._patient: deque[tuple[float, Turn]] = deque()
        self._sweeping = False

    def turn(self, principal: str, share: int | None = None) -> "Turn":
        """Enter it to run a statement; `share` in place of the usual one."""
        return Turn(self, self._share(principal, share or self._places.share))

    def lightest(self, principals: Collection[str]) -> str:
        """Who of them uses least of their share."""
        now, unused = self._clock(), _Share(0)
        return min(principals, key=lambda name: self._shares.get(name, unused).load(now))

    def is_known(self, principal: str) -> bool:
        """Whether the principal lately asked for little."""
        share = self._shares.get(principal)
        return share is not None and share.is_known(self._clock())

    def charge(self, principal: str, seconds: float) -> None:
        """For what was done in its name at another's place."""
        if share := self._shares.get(principal):
            share.spend(seconds, self._clock())

    def _share(self, principal: str, limit: int) -> _Share:
        share = self._shares.get(principal)
        if share is None:
            if len(self._shares) >= REMEMBERED:
                self._shares = {name: kept for name, kept in self._shares.items() if kept.running or kept.waiting}
            share = self._shares[principal] = _Share(limit)
        share.limit = limit
        return share

    def begins(self, turn: "Turn") -> bool:
        """Whether there is a place for the turn, which has it then."""
        share, now = turn.share, self._clock()
        if share.waiting or not self._fits(share):
            return False
        heavy = share.is_heavy(now)
        has_place = self._heavy_fit if heavy else self._newcomers_fit or share.is_known(now)
        if has_place:
            self._let_in(turn, now, heavy=heavy)
        return has_place

    async def wait(self, turn: "Turn") -> None:
        """Returns when the turn has a place; raises GraphQLRefusal when too many wait already, or it waited too long."""
        share = turn.share
        if len(share.waiting) >= self._places.queue:
            raise too_many()
        share.waiting.append(turn)
        self._stand_in_line(share, self._clock())
        await self._let_in_within(turn)

    async def _let_in_within(self, turn: "Turn") -> None:
        turn.called = asyncio.get_running_loop().create_future()
        self._patient.append((self._clock() + self._places.patience, turn))
        self._sweep_later()
        called = False
        try:
            called = await turn.called
        finally:
            if not called:
                self._give_back(turn)
        if not called:
            raise too_many()

    def _give_back(self, turn: "Turn") -> None:
        """Of one that went away while it waited, or in the moment it was called."""
        if turn in self._running:
            self.end(turn)
        else:
            turn.share.waiting.remove(turn)
            if not turn.share.waiting:
                self._line.leave(turn.share)

    def end(self, turn: "Turn", *, in_vain: bool = False) -> None:
        """The place is free for the next. What was `in_vain` has no grace: whoever asks for too much may ask for it all the time."""
        now, share = self._clock(), turn.share
        self._running.remove(turn)
        self._heavy -= turn.heavy
        self._new -= turn.new
        share.running -= 1
        share.long -= turn.long
        share.spend(now - turn.began + (GRACE if in_vain else 0), now)
        self._line.acquaint(share, now)
        if share.waiting:
            self._stand_in_line(share, now)
        if self._line:
            self._fill(now)

    def _fits(self, share: _Share) -> bool:
        """Who has something running leaves the last places; it will have nothing running in its turn, so nobody starves."""
        running = share.running
        return self._left > (self._places.kept if running else 0) and running < share.limit

    @property
    def _left(self) -> int:
        return self._places.total - len(self._running)

    @property
    def _newcomers_fit(self) -> bool:
        """Those who are known keep the last places, but not from all newcomers: however much is asked, these have as many."""
        return self._left > self._places.known or self._new < self._places.known

    @property
    def _heavy_fit(self) -> bool:
        return self._left > self._places.known and self._heavy < self._places.heavy

    @property
    def _heavy_are_due(self) -> bool:
        """One of them runs, however much the light ask: where there are places that no heavy one ever has."""
        return not self._heavy and self._places.heavy < self._places.total

    def _let_in(self, turn: "Turn", now: float, *, heavy: bool) -> None:
        turn.began, turn.heavy, turn.new = now, heavy, not (heavy or turn.share.is_known(now))
        turn.share.running += 1
        self._running.add(turn)
        self._heavy += heavy
        self._new += turn.new
        # Who went away, or lost patience, in this very moment passes its place on when it wakes.
        if turn.called is not None and not turn.called.done():
            turn.called.set_result(True)

    def _stand_in_line(self, share: _Share, now: float) -> None:
        if share.running < share.limit:
            self._line.join(share, now)

    def _fill(self, now: float) -> None:
        """Gives the free places to those in line: one to the heavy, all others to the light first, in turn, the last to who is known."""
        self._line.lighten(now)
        while self._left > 0:
            if self._heavy_are_due and (share := self._line.next_heavy(self._fits)):
                self._let_in(share.waiting.popleft(), now, heavy=True)
            elif share := self._line.next_light(self._fits, now, newcomers=self._newcomers_fit):
                self._let_in(share.waiting.popleft(), now, heavy=False)
            elif self._heavy_fit and (share := self._line.next_heavy(self._fits)):
                self._let_in(share.waiting.popleft(), now, heavy=True)
            else:
                return
            if share.waiting:
                self._stand_in_line(share, now)

    def _sweep_later(self) -> None:
        if not self._sweeping:
            self._sweeping = True
            asyncio.get_running_loop().call_later(SWEEP_EVERY, self._sweep_again)

    def _sweep_again(self) -> None:
        self._sweeping = False
        self.sweep()
        if self._patient:
            self._sweep_later()

    def sweep(self) -> None:
        """Runs every SWEEP_EVERY while somebody waits: statements become heavy; too many of those make way for who is light, even for
        who only runs beside them."""
        now = self._clock()
        self._lose_patience(now)
        long = [turn for turn in self._running if now - turn.began > SAFE]
        for turn in long:
            self._heavy += not turn.heavy
            turn.share.long += not turn.long
            # The places for newcomers are for those who still may turn out to ask for little.
            self._new -= turn.new
            turn.heavy, turn.long, turn.new = True, True, False
        self._fill(now)
        too_many_heavy = self._heavy - self._places.heavy - sum(turn.lost for turn in long)
        if self._line.somebody_light(now) or self._is_crowded:
            # Asked at each look, so that the answer to the last one is there when it is needed.
            asked_at = now if self._lives is None else self._lives.since(now)
            loose = [turn for turn in long if not (turn.lost or turn.kept) and turn.began + SAFE - SWEEP_EVERY <= asked_at]
            loose.sort(key=lambda turn: turn.share.lately(now) + now - turn.began, reverse=True)
            for turn in loose[: max(0, too_many_heavy)]:
                # Once is enough to be known for it.
                turn.share.spend(GAVE_UP, now)
                turn.give_up()

    @property
    def _is_crowded(self) -> bool:
        """Few places are left, and somebody's short statement shares the processor with the long ones."""
        return self._left <= self._places.kept and any(not turn.long for turn in self._running)

    def _lose_patience(self, now: float) -> None:
        while self._patient and (self._patient[0][1].is_called or self._patient[0][0] <= now):
            _, turn = self._patient.popleft()
            if turn.called is not None and not turn.called.done():
                turn.called.set_result(False)


class Turn:
    """One statement's place, while it is entered. Leaves as GaveWay when it had to give the place up."""

    __slots__ = ("_cancelling", "_task", "_turns", "began", "called", "heavy", "kept", "long", "lost", "new", "share")

    def __init__(self, turns: Turns, share: _Share) -> None:
        self._turns, self.share = turns, share
        # While it waits: becomes true with a place, false when the patience is over.
        self.called: asyncio.Future[bool] | None = None
        self.began = 0.0
        self.new = self.heavy = self.long = self.lost = self.kept = False
        self._task: asyncio.Task[object] | None = None
        self._cancelling = 0

    @property
    def is_called(self) -> bool:
        """Whether it waits no more."""
        return self.called is None or self.called.done()

    async def __aenter__(self) -> Self:
        if not self._turns.begins(self):
            await self._turns.wait(self)
        task = asyncio.current_task()
        self._task, self._cancelling = task, task.cancelling() if task else 0
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._turns.end(self, in_vain=kind is not None)
        task, self._task = self._task, None
        if self.lost and task is not None and task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise GaveWay from None

    def give_up(self) -> None:
        """Ends what runs at this place, unless it is kept."""
        if not self.lost and not self.kept and self._task is not None:
            self.lost = True
            self._task.cancel()

    def keep(self) -> None:
        """What runs now is not ended any more: it may have happened already."""
        self.kept = True


def too_many() -> GraphQLRefusal:
    """What somebody hears who asks for more before the answers to what they asked already."""
    return GraphQLRefusal(RATE_LIMITED, "too much is asked at once; wait for some answers before asking for more", retryAfter=1)
