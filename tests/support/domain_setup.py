"""A world for tests of the domain: a real database, everything else in memory and in the test's hands."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import orjson

from app.adapters.batches import open_batches
from app.database.reflection import reflect
from app.database.transactions import EngineTransactions, open_engine
from app.hints import BroadcastHub, open_hub
from domain.errors import RateLimited
from domain.feeds.ring_rounds import RingRounds
from domain.ports import CallLimits, Grant, Hint, IceServer, IpAddress, JoinToken, Unreadable, Unresolvable
from domain.world import ServedRules, World
from permissions.compiling.readable import ReadableRows
from permissions.reading.metadata import load_metadata
from permissions.resolving.resolve import Resolved, resolve
from permissions.session import USER_ID, Session
from schema.tables import note_history, note_numberings
from tests.support.call_history import Event
from tests.support.fake_ingests import FakeIngests
from tests.support.fake_recorder import FakeRecorder
from tests.support.fake_rooms import FakeRooms
from tests.support.fake_store import FakeStore

ALICE, BOB, CAROL, DAVE, MALLORY, MOD = (UUID(f"00000000-0000-4000-8000-{number:012}") for number in range(1, 7))
GENERAL = UUID("00000000-0000-4000-8000-000000000101")
METADATA = Path(__file__).parents[2] / "permissions" / "metadata"
NAMES = {ALICE: "alice", BOB: "bob", CAROL: "carol", DAVE: "dave", MALLORY: "mallory", MOD: "mod"}


def session(user_id: UUID, role: str = "user") -> Session:
    return Session(role, {"x-hasura-role": role, USER_ID: str(user_id)})


@dataclass(slots=True)
class TestClock:
    """Stands still until the test moves it."""

    __test__ = False
    time: datetime = field(default_factory=lambda: datetime.now(UTC))

    def now(self) -> datetime:
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@dataclass(slots=True)
class RecordingPublisher:
    hub: BroadcastHub | None = None
    hints: list[Hint] = field(default_factory=list)

    async def publish(self, hints: Sequence[Hint]) -> None:
        self.hints.extend(hints)
        if self.hub is not None:
            await self.hub.publish(hints)

    def topics(self) -> set[str]:
        """What was told since the last look."""
        told = {hint.topic for hint in self.hints}
        self.hints.clear()
        return told


@dataclass(slots=True)
class CountingLimiter:
    """Refuses a name in `used_up`."""

    used_up: set[str] = field(default_factory=set)
    hits: list[tuple[str, str]] = field(default_factory=list)

    async def hit(self, limit: str, key: str, times: int = 1) -> None:
        self.hits += [(limit, key)] * times
        if limit in self.used_up:
            raise RateLimited(2.5)


@dataclass(slots=True)
class ReadableTokens:
    """A token that says in the clear what it grants; `signed` keeps the last grant by identity."""

    clock: TestClock
    signed: dict[str, Grant] = field(default_factory=dict)
    stay_empty: int | None = None
    count: int = 0

    def sign(
        self, *, room: str, identity: str, name: str, grant: Grant, max_participants: int, empty_timeout: int | None = None
    ) -> JoinToken:
        self.signed[identity], self.stay_empty = grant, empty_timeout
        self.count += 1
        return JoinToken(f"{room}/{identity}/{name}/{max_participants}#{self.count}", self.clock.now() + timedelta(seconds=600))


class FixedTurn:
    def issue(self, user_id: UUID) -> list[IceServer]:
        return [IceServer(("stun:turn.example:3478",)), IceServer(("turn:turn.example:3478",), f"1:{user_id}", "secret")]

    def lifetime(self) -> int:
        return 86400


class ReadableSeals:
    """A seal that everybody sees and can break; what has none is unreadable."""

    def seal(self, secret: str) -> str:
        return f"sealed:{secret}"

    def reveal(self, sealed: str) -> str:
        if not sealed.startswith("sealed:"):
            raise Unreadable
        return sealed.removeprefix("sealed:")

    def reseal(self, sealed: str) -> str:
        return self.seal(self.reveal(sealed))


@dataclass(slots=True)
class KnownHosts:
    """Where names lead, as the test says; any other leads nowhere."""

    known: dict[str, list[str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    askers: list[str] = field(default_factory=list)

    async def addresses(self, host: str, whose: str) -> Sequence[IpAddress]:
        self.asked.append(host)
        self.askers.append(whose)
        if host not in self.known:
            raise Unresolvable
        return [ip_address(one) for one in self.known[host]]


@dataclass(slots=True)
class ProductRules:
    """The product's metadata against a migrated database, read once: all test databases have the same tables."""

    resolved: Resolved | None = None

    async def __call__(self, url: str) -> Resolved:
        if self.resolved is None:
            reflected = await reflect(url)
            note_numberings(reflected.metadata)
            note_history(reflected.metadata)
            self.resolved = resolve(load_metadata(METADATA), reflected.metadata, reflected.functions, strict=True)
        return self.resolved


product_rules = ProductRules()


@dataclass(slots=True)
class Setup:
    """The world and the parts a test looks at or turns."""

    world: World
    url: str
    rooms: FakeRooms
    publisher: RecordingPublisher
    clock: TestClock
    limiter: CountingLimiter
    tokens: ReadableTokens
    database: "asyncpg.Connection"
    recorder: FakeRecorder
    store: FakeStore
    ingests: FakeIngests
    hosts: KnownHosts

    async def events(self, call_id: UUID) -> list[Event]:
        rows = await self.database.fetch(
            "SELECT seq, kind, actor_id::text, payload::text FROM nchat_call_events WHERE call_id = $1 ORDER BY seq", call_id
        )
        return [Event(row["seq"], row["kind"], row["actor_id"], orjson.loads(row["payload"])) for row in rows]

    async def kinds(self, call_id: UUID) -> list[str]:
        return [event.kind for event in await self.events(call_id)]

    async def call(self, call_id: UUID) -> asyncpg.Record:
        row = await self.database.fetchrow("SELECT * FROM nchat_calls WHERE id = $1", call_id)
        assert row is not None
        return row

    async def participant(self, call_id: UUID, user_id: UUID) -> asyncpg.Record:
        row = await self.database.fetchrow("SELECT * FROM nchat_call_participants WHERE call_id = $1 AND user_id = $2", call_id, user_id)
        assert row is not None
        return row

    async def pushes(self) -> list[tuple[str, UUID]]:
        rows = await self.database.fetch("SELECT kind, user_id FROM nchat_push_outbox ORDER BY created_at, user_id, kind")
        return [(row["kind"], row["user_id"]) for row in rows]


async def people(database: "asyncpg.Connection") -> None:
    """The demo's users; all but mallory and mod are in the channel general."""
    users = [(user_id, name, name.capitalize()) for user_id, name in NAMES.items()]
    await database.executemany("INSERT INTO nchat_users (id, username, display_name) VALUES ($1, $2, $3)", users)
    await database.execute("INSERT INTO nchat_channels (id, name) VALUES ($1, 'general')", GENERAL)
    members = [(GENERAL, user_id) for user_id in (ALICE, BOB, CAROL, DAVE)]
    await database.executemany("INSERT INTO nchat_channel_members (channel_id, user_id) VALUES ($1, $2)", members)


async def newcomers(on: Setup, many: int) -> list[UUID]:
    """So many more members of the channel general."""
    ids = [uuid4() for _ in range(many)]
    await on.database.executemany("INSERT INTO nchat_users (id, username) VALUES ($1, $2)", [(one, str(one)) for one in ids])
    members = [(GENERAL, one) for one in ids]
    await on.database.executemany("INSERT INTO nchat_channel_members (channel_id, user_id) VALUES ($1, $2)", members)
    return ids


@asynccontextmanager
async def setup(url: str, limits: CallLimits | None = None, *, populate: bool = True) -> AsyncIterator[Setup]:
    """A world on a migrated database; with `populate` the people of the demo are put in first."""
    clock, limiter, rooms, recorder, store = TestClock(), CountingLimiter(), FakeRooms(), FakeRecorder(), FakeStore()
    ingests = FakeIngests()
    tokens, hosts = ReadableTokens(clock), KnownHosts()
    rules = await product_rules(url)

    database = await asyncpg.connect(url)
    try:
        if populate:
            await people(database)
        async with open_hub() as hub, open_engine(url) as engine, open_batches() as batches:
            publisher = RecordingPublisher(hub)
            transactions = EngineTransactions(engine, publisher)
            served = ServedRules(ReadableRows(rules.catalog, rules.rules))
            world = World(
                transactions,
                rooms,
                tokens,
                publisher,
                hub,
                clock,
                limiter,
                FixedTurn(),
                ReadableSeals(),
                hosts,
                limits or CallLimits(),
                served,
                RingRounds(transactions, hub, served),
                "ws://livekit.example",
                batches,
                recorder=recorder,
                store=store,
                ingests=ingests,
            )
            yield Setup(world, url, rooms, publisher, clock, limiter, tokens, database, recorder, store, ingests, hosts)
    finally:
        await database.close()
