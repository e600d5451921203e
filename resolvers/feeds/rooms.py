"""The rooms of a process: each is read once, whatever the number of those who follow."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

import structlog

from domain.errors import CursorAhead, HistoryChanged
from domain.hub import AskAnew, Following
from permissions.errors import GraphQLRefusal
from permissions.rules import RoleRules
from resolvers.feeds.asked_together import AskedTogether
from resolvers.feeds.channel import Channel, Memory
from resolvers.feeds.follower import Follower
from resolvers.feeds.opened import Opened
from resolvers.feeds.patience import patient
from resolvers.feeds.rights.asked import ASKED_AT_ONCE, BAD_VALUE, RightAsked, Rights, Standing
from resolvers.feeds.rights.sharing import audience
from resolvers.feeds.rights.verification import Verification
from resolvers.feeds.room import FollowedRoom, now
from resolvers.feeds.told import Direct, Told
from resolvers.hand_written.room_feed import PAGE, Event, RoomFeed
from resolvers.sql.database import Database, DatabaseError
from schema.model import Catalog

log = structlog.get_logger(__name__)

# Those of a small room are asked for their right before anything is sent. Those of a hot one every second, by what looks at all rooms;
# only where that is late an event waits for it.
VERIFIED_FOR: Final = 1.7
# A hint that never comes: what looks at all rooms does not need it.
FOREVER: Final = 3600.0

Hints = Callable[[Collection[str]], AbstractAsyncContextManager[Following]]
RoomKey = tuple[str, str]


class FollowedRooms:
    """`hints` tells of changes by topic, `rules` are those of each role, `database` is asked in nobody's name."""

    def __init__(self, database: Database, catalog: Catalog, rules: Callable[[str], RoleRules], hints: Hints) -> None:
        self.database, self.catalog = database, catalog
        self.verification = Verification(Rights(database, catalog, rules), self.is_of)
        self.open: dict[RoomKey, FollowedRoom] = {}
        # The history that each feed's rooms are of.
        self.epochs: dict[str, str] = {}
        self._rules, self._hints, self._memory = rules, hints, Memory()
        self._together: dict[tuple[str, str], AskedTogether[RightAsked, Standing]] = {}
        # How often the rules became others.
        self._begun_anew = 0

    def begin_anew(self, catalog: Catalog, rules: Callable[[str], RoleRules]) -> None:
        """The rules are others now: whoever follows gets AskAnew, with the seq and history that it has reached."""
        self.catalog, self._rules = catalog, rules
        self.verification = Verification(Rights(self.database, catalog, rules), self.is_of)
        self._begun_anew += 1
        for room in list(self.open.values()):
            for follower in list(room.followers):
                room.end(follower, AskAnew((str(follower.cursor), self.epochs[room.feed.name])))

    async def follow(self, opened: Opened, direct: Direct | None = None) -> AsyncGenerator[Told, None]:
        """What follows the cursor, each event once and in order; while it can, it goes the short way and nothing is given back here.

        Raises GraphQLRefusal when the right is lost, or the cursor can't be right, and AskAnew.
        """
        try:
            async with self._joined(opened, direct) as (room, follower):
                while True:
                    channel = room.followers.get(follower)
                    if channel is not None and channel.shown <= follower.cursor < channel.told:
                        follower.cursor = channel.told
                    elif channel is not None and follower.cursor < channel.told:
                        taken_back = channel.taken_back
                        for told in await self._behind(room, channel, follower, opened):
                            if follower.ended is not None or channel.taken_back != taken_back:
                                break
                            follower.cursor = told.seq
                            yield told
                    elif channel is not None:
                        await follower.wait(channel.told)
                    if follower.ended is not None:
                        raise follower.ended
        except AskAnew:
            raise
        except Exception as error:
            raise opened.refused(error) from error

    @asynccontextmanager
    async def _joined(self, opened: Opened, direct: Direct | None) -> AsyncIterator[tuple[FollowedRoom, Follower]]:
        room = self._entered(opened.place.feed, opened.place.room)
        follower = Follower(opened.session, opened.read, direct)
        # Before it is known whether it may: a room ends with its last follower.
        room.waiting += 1
        begun_anew = self._begun_anew
        try:
            await room.listens.wait()
            standing = await self._standing(opened)
            follower.cursor, follower.known = _cursor(opened, standing), standing.head
            if begun_anew != self._begun_anew:
                # It was let in by rules that hold no more.
                raise AskAnew
            self._join(room, follower, opened, standing.head)
            yield room, follower
        finally:
            room.waiting -= 1
            room.leave(follower)
            await self._left(room)

    def _entered(self, feed: RoomFeed, id: str) -> FollowedRoom:
        room = self.open.get((feed.name, id))
        if room is None:
            room = self.open[feed.name, id] = FollowedRoom(feed, id)
            room.keeping = asyncio.create_task(self._keep(room), name="room")
        return room

    async def _left(self, room: FollowedRoom) -> None:
        if room.followers or room.waiting or room.keeping is None:
            return
        keeping, room.keeping = room.keeping, None
        del self.open[room.feed.name, room.id]
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)

    def _join(self, room: FollowedRoom, follower: Follower, opened: Opened, head: int) -> None:
        feed, page = room.feed, room.feed.page(self.database)

        async def read(of: Follower, after: int) -> Sequence[Event]:
            return await page(of.read, room.id, after, self.epochs[feed.name])

        async def may_follow(asked: Follower) -> bool:
            await self.verification.ask_again([(room, asked)])
            return asked in room.followers

        key = (audience(feed, self._rules(opened.session.role), opened.session), opened.document)
        told = max(room.head, head)
        room.join(follower, key, lambda: Channel(told, read, opened.encoder(), self._memory, may_follow, of_state=feed.of_state))

    async def _standing(self, opened: Opened) -> Standing:
        """Asked together with all who come at this moment. Raises what forbids it."""
        feed, role = opened.place.feed, opened.session.role
        together = self._together.get((feed.name, role))
        if together is None:

            async def ask(asked: Sequence[RightAsked]) -> Sequence[Standing]:
                return await self.verification.ask(feed, role, asked)

            together = self._together[feed.name, role] = AskedTogether(ask, ASKED_AT_ONCE)
        # Here and not for all: it is this one's token that lacks a variable.
        self.verification.rights.who(feed, opened.session)
        standing = await patient(lambda: together(RightAsked(opened.place.room, opened.session)))
        # First, whatever else is wrong: it says nothing of the room, and one that this history does not have is not all that is gone.
        if opened.place.epoch not in (None, self.epochs.get(feed.name, opened.place.epoch)):
            raise HistoryChanged
        if standing.error is not None:
            raise standing.error
        if standing.refusal is not None:
            raise standing.refusal
        return standing

    def is_of(self, feed: RoomFeed, epoch: str) -> None:
        """The database has this history now: who follows another one is told so."""
        if self.epochs.setdefault(feed.name, epoch) == epoch:
            return
        self.epochs[feed.name] = epoch
        log.warning("history_changed", feed=feed.name)
        for room in list(self.open.values()):
            if room.feed is feed:
                room.end_all(HistoryChanged)

    async def _behind(self, room: FollowedRoom, channel: Channel, follower: Follower, opened: Opened) -> Sequence[Told]:
        found = await patient(lambda: channel.after(follower.cursor, follower.known))
        if found:
            return found
        # In whose name it was read may have lost the right.
        await patient(lambda: self.verification.of_rooms([room]))
        if follower.ended is not None:
            return ()
        found = await patient(lambda: channel.after(follower.cursor, follower.known))
        return found or await self._in_its_own_name(room, channel, follower, opened)

    async def _in_its_own_name(self, room: FollowedRoom, channel: Channel, follower: Follower, opened: Opened) -> Sequence[Told]:
        """Nothing is there, though something was told: a rule hides it, or this history has no such events. Raises what forbids it."""
        told = channel.told
        found = await patient(lambda: channel.as_seen_by(follower, follower.cursor))
        # After it was read: with the right lost it would have looked the same.
        standing = await self._standing(opened)
        if standing.head < told:
            room.end(follower, HistoryChanged())
        elif not found:
            follower.cursor = told
        return [one for one in found if one.seq <= told]

    async def look(self, room: FollowedRoom, head: int = 0) -> None:
        """Sends what is new there, to those who may still have it. `head` is a seq that the room has for certain. Raises DatabaseError."""
        async with room.looking:
            failure: Exception | None = None
            for channel in list(room.channels.values()):
                try:
                    while await self._tell(room, channel, head):
                        pass
                except Exception as error:  # noqa: BLE001 - it is raised when the others have had their turn
                    failure = failure or error
            if failure is not None:
                raise failure

    async def _tell(self, room: FollowedRoom, channel: Channel, head: int) -> bool:
        """A page of what is new, to those who are found to have the right after it was read. Whether there may be more."""
        await channel.delivery.room_for_more()
        reader = channel.reader
        try:
            news = await channel.news()
        except (DatabaseError, GraphQLRefusal) as error:
            if reader is None or not _is_of_the_reader(error):
                raise
            if channel.reader is reader:
                # What the rules look at is missing in its session, or can't be read there. The others are read for in another's name.
                room.end(reader, error)
            return True
        if any(told.takes_back for told in news):
            # Nobody is sent what was taken back once others know of it, whatever document they follow by.
            await room.all_have_what_was_told()
        if not room.is_hot:
            await self.verification.of_channel(room, channel)
        elif now() - room.verified > VERIFIED_FOR:
            await self.verification.of_rooms([room])
        elif not news and reader is not None:
            # It may have lost the right that others have.
            await self.verification.ask_again([(room, reader)])
        if not news and reader is not None and reader is channel.reader:
            # It may follow, and sees nothing of what is there: so it is for all of the channel.
            room.pass_over(channel, head)
            return False
        if not news or not channel.followers:
            return reader is not channel.reader
        room.tell(channel, news)
        # After a page that is not full there is nothing, or a hint is on its way.
        return len(news) == PAGE

    async def try_to_look(self, room: FollowedRoom, head: int = 0) -> None:
        """The same; what fails is tried again in the next round over all rooms."""
        try:
            await self.look(room, head)
        except DatabaseError as error:
            log.debug("room_waits", feed=room.feed.name, sqlstate=error.sqlstate)
        except Exception:  # a fault of ours must not make a room deaf for ever
            log.error("room_failed", feed=room.feed.name, exc_info=True)

    async def _keep(self, room: FollowedRoom) -> None:
        """Looks whenever a hint says so."""
        async with self._hints([room.feed.topic(room.id)]) as following:
            room.listens.set()
            while True:
                hinted_at = await following.changed(FOREVER)
                room.collects = True
                await asyncio.sleep(room.rest(hinted_at))
                following.seen()
                await self.try_to_look(room)
                room.collects = False


def _is_of_the_reader(error: Exception) -> bool:
    return isinstance(error, GraphQLRefusal) or (isinstance(error, DatabaseError) and error.sqlstate.startswith(BAD_VALUE))


def _cursor(opened: Opened, standing: Standing) -> int:
    after = opened.place.after
    if after is None:
        return standing.head
    if after > standing.head:
        raise CursorAhead
    return max(after, 0)
