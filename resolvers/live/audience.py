"""Those who see the same of a live query, because what their sessions bring is the same."""

from collections import Counter

from resolvers.live.announcements import Announcements
from resolvers.live.faults import Fault, Faults
from resolvers.live.looks import Looks
from resolvers.live.payload import KeptPayload, Payload
from resolvers.sql.database import Asker, DatabaseError

Numbered = tuple[int, Payload]


class Audience:
    """`resolvers.live.member.Member` with any number of followers."""

    def __init__(self, own: bytes, looks: Looks, faults: Faults) -> None:
        self.own = own
        self.followers: Counter[Asker] = Counter()
        self.took, self.size, self.alone, self.waits = 0.0, 0, False, True
        self.rests_until = 0.0
        self._looks, self._faults = looks, faults
        self._kept = KeptPayload()
        self._fault: Fault | None = None
        self._begun = self._done = 0
        self._news: Announcements[Payload] = Announcements()

    @property
    def askers(self) -> list[Asker]:
        return list(self.followers)

    @property
    def is_over(self) -> bool:
        """Whether it looks no more."""
        return self._news.is_over

    def begin(self) -> int:
        """Gives the look's number: an answer that was overtaken is dropped."""
        self._begun += 1
        return self._begun

    def answer(self, number: int, body: bytes, _progress: bytes | None = None, _epoch: str | None = None) -> Numbered:
        """Tells it when it is another one than the last, and newer."""
        self.size = len(body)
        return self._tell(number, Payload(body), None)

    def refuse(self, number: int, error: DatabaseError) -> Numbered:
        fault = self._faults.of(error)
        return self._tell(number, Payload(fault.body), fault)

    def end(self, refused: BaseException) -> None:
        """Ends all who follow."""
        self._news.end(refused)

    def _tell(self, number: int, answer: Payload, fault: Fault | None) -> Numbered:
        if number > self._done:
            self._done, self._fault, self.alone = number, fault, fault is not None
            if self._kept.keep(answer):
                self._news.tell(answer)
        return number, answer

    async def look(self, asker: Asker) -> Payload:
        """An answer that is at least as new as the beginning of this call. Raises GraphQLRefusal when it is not to be tried again."""
        while True:
            look: Numbered = await self._looks.one(self, [asker])
            number, answer = look
            if number >= self._done:
                return answer
            if newer := self._kept.held():
                return newer

    async def after(self, sent: bytes, asker: Asker) -> Payload:
        """The newest answer once its mark is another than `sent`; raises what ended the looking."""
        while self._kept.mark == sent:
            told = await self._news.next()
            if told.mark == self._kept.mark != sent:
                return told
        return await self.newest(asker)

    async def newest(self, asker: Asker) -> Payload:
        """What is kept, or a look; raises GraphQLRefusal like `look`, and AskAnew."""
        self._news.check()
        return self._kept.held() or await self.look(asker)

    def left(self, asker: Asker) -> None:
        """One of the followers goes."""
        self.followers[asker] -= 1
        if not self.followers[asker]:
            del self.followers[asker]
