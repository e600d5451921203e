"""The engine: a request and a session in, the complete answer out."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import replace
from functools import partial
from typing import Any, Final, TypeVar

import orjson

from permissions.allow_list import AllowList
from permissions.api_limits import ApiLimits, limit_of
from permissions.errors import GraphQLRefusal
from permissions.rules import RoleRules
from permissions.session import ADMIN, Session
from resolvers.answer import Answer
from resolvers.compile_thread import size_of_json
from resolvers.compiled import Compiled, HandWritten, HandWrittenSubscription, LiveTables, Steps, TableQuery
from resolvers.documents.document import OperationKind
from resolvers.documents.limits import Limits, not_too_deep
from resolvers.documents.request import Request, Tally
from resolvers.feeds.opened import Opened
from resolvers.hand_written.action_fields import ActionFields
from resolvers.live.live_query import LiveQuery
from resolvers.plan_cache import CachedDocument
from resolvers.planner import Planner
from resolvers.roles.role_views import RoleView, RoleViews
from resolvers.roles.whole_schema import whole_schema
from resolvers.run.begun_mutations import Beginning, BeginningDatabase, BegunMutations
from resolvers.run.database_refusals import answer_too_large, refusal, with_internal
from resolvers.run.insert_budgets import InsertBudgets, spend
from resolvers.run.operation_rates import OperationRates, count, uncounted
from resolvers.run.steps import run_steps
from resolvers.run.strawberry_runner import StrawberryRunner
from resolvers.run.unexpected_errors import unexpected
from resolvers.sql.database import Asker, Database, DatabaseError, SharedDatabase
from schema.model import Catalog

T = TypeVar("T")

# Bytes of a whole request, or batch, that has an action in it. A few milliseconds.
LARGEST_ACTION: Final = 64 * 1024


class Engine:
    """Runs GraphQL over the tables of a catalog with the rules of each role. Build it once, at start."""

    def __init__(
        self,
        catalog: Catalog,
        views: RoleViews,
        database: SharedDatabase,
        limits: Limits,
        insert_budgets: InsertBudgets,
        api_limits: ApiLimits | None = None,
        allow_list: AllowList | None = None,
        rates: OperationRates = uncounted,
        *,
        admin_internal_errors: bool = True,
    ) -> None:
        self._views, self._database, self._limits, self._api_limits = views, database, limits, api_limits or ApiLimits()
        self._insert_budgets, self._rates, self._allow_list = insert_budgets, rates, allow_list
        self._admin_internal_errors = admin_internal_errors
        self._planner = Planner(catalog, limits, self._api_limits, compares=allow_list is not None)
        self._begun = BegunMutations()

    @classmethod
    def build(
        cls,
        catalog: Catalog,
        rules: Mapping[str, RoleRules],
        database: SharedDatabase,
        actions: ActionFields | None = None,
        *,
        limits: Limits | None = None,
        api_limits: ApiLimits | None = None,
        allow_list: AllowList | None = None,
        insert_budgets: InsertBudgets | None = None,
        rates: OperationRates = uncounted,
        admin_internal_errors: bool = True,
    ) -> "Engine":
        """`actions` are hand-written root fields (`action_fields.scan`); foreign metadata has none.

        A table without an insert budget takes any number of rows. `api_limits` are those of the metadata, beside `limits`; with
        an `allow_list` nothing else is answered. `admin_internal_errors`: the role admin is told PostgreSQL's own errors.
        """
        whole = whole_schema(catalog, actions or ActionFields())
        parts = (catalog, RoleViews(catalog, rules, whole), database, limits or Limits(), insert_budgets or {})
        return cls(*parts, api_limits, allow_list, rates, admin_internal_errors=admin_internal_errors)

    async def stop(self) -> None:
        """Nothing of it touches the database any more."""
        await self._begun.stop()

    def derive_roles(self) -> None:
        """Makes the schema of every role, before any request could wait for it."""
        self._views.derive_all()

    def may_batch(self, members: int, session: Session) -> None:
        """Raises batch-limit-exceeded where the role may not ask so much in one batch."""
        most = limit_of(self._api_limits.batch, session.role)
        if most is not None and members > most:
            raise GraphQLRefusal("batch-limit-exceeded", f"a batch holds at most {most} operations")

    async def admit(self, request: Request, session: Session) -> None:
        """Counts the operation before it begins; raises rate-limit-exceeded where the role has begun too many in this minute."""
        limit = limit_of(self._api_limits.rate, session.role)
        if limit is not None:
            await count(self._rates, limit, session, request.address)

    async def kind(self, request: Request, session: Session) -> OperationKind:
        """Which kind of operation the request runs; raises GraphQLRefusal for a document without a clear one."""
        view = self._views.of(session)
        with not_too_deep():
            document = await self._document(view, request, session)
        return document.operation.kind

    async def _document(self, view: RoleView, request: Request, session: Session) -> CachedDocument:
        """What a client asks; what the service itself asks in its name is in no allow list."""
        document = await self._planner.document(view, request)
        if self._allow_list is not None and document.operation.normalized is not None:
            self._allow_list.check(document.operation.normalized, session.role)
        return document

    async def execute(self, request: Request, session: Session, context: object | None = None) -> Answer:
        """The answer to a query or mutation. A refusal is part of it and never raised; it never stands beside data.

        `context` reaches actions as `info.context.world`.
        """
        operation, ran = None, False
        try:
            with not_too_deep():
                view = self._views.of(session)
                document = await self._document(view, request, session)
                operation = document.operation
                self._has_room(request.tally, session)
                compiled = await self._planner.plan(view, document, request)
                ran = True
                body = await self._run(view, operation.kind, compiled, request, session, context)
                if request.tally is not None:
                    request.tally.answered += len(body)
                return Answer(body, operation.kind)
        except GraphQLRefusal as refused:
            return Answer.refused(self._told(refused, request, session), operation, ran=ran)
        except DatabaseError as error:
            told = refusal(error) or unexpected(error)
            told.__cause__ = error
            return Answer.refused(self._told(told, request, session), operation, ran=ran)
        except Exception as error:  # noqa: BLE001 - the outermost place: whatever went wrong, the client gets one answer without details
            return Answer.refused(unexpected(error), operation, ran=ran)

    def _told(self, refused: GraphQLRefusal, request: Request, session: Session) -> GraphQLRefusal:
        """Hasura: an admin is told more, and a role never, whatever it is trusted with."""
        tells = self._admin_internal_errors and request.tells_internal and session.role == ADMIN
        return with_internal(refused) if tells else refused

    async def _run(
        self, view: RoleView, kind: OperationKind, compiled: Compiled, request: Request, session: Session, context: object | None
    ) -> bytes:
        match compiled:
            case TableQuery(plan):
                return await self._database.answer(plan, plan.bind(session, request.variables), self._asker(request, session))
            case Steps():
                if request.reads_only and compiled.may_write:
                    raise GraphQLRefusal("method-not-allowed", "what may write is a POST request")
                _not_too_large(compiled, request)
                beginning = Beginning()
                database = BeginningDatabase(self._database.request(self._asker(request, session)), beginning)
                strawberry = self._strawberry(request, session, context, database, beginning)
                await spend(self._insert_budgets, session, compiled.steps)
                introspect = partial(self._planner.introspection, view, request)
                largest = self._limits.answer_bytes_of(session.role)
                steps = run_steps(compiled, database, session, request.variables, strawberry, introspect, largest)
                return await (self._begun.run(steps, lambda: beginning.has_begun) if kind == "mutation" else steps)
        raise GraphQLRefusal("unexpected-payload", "subscriptions are not supported over HTTP, use websockets instead")

    def _asker(self, request: Request, session: Session) -> Asker:
        return Asker(request.principal, session.role == ADMIN, limit_of(self._api_limits.seconds, session.role))

    def _has_room(self, tally: Tally | None, session: Session) -> None:
        """The members of a batch have no more together than twice what one of them may have; a member is refused before it runs."""
        if tally is not None and tally.answered > self._limits.answer_bytes_of(session.role):
            raise answer_too_large()

    def _strawberry(
        self, request: Request, session: Session, context: object | None, database: Database, beginning: Beginning
    ) -> StrawberryRunner:
        async def read(query: str, variables: Mapping[str, Any]) -> Any:
            inner, view = Request(query, variables, principal=request.principal), self._views.of(session)
            document = await self._planner.document(view, inner)
            compiled = await self._planner.plan(view, document, inner)
            answer = await self._run(view, document.operation.kind, compiled, inner, session, context)
            return orjson.loads(answer)["data"]

        def turn() -> AbstractAsyncContextManager[object]:
            return beginning.within(self._database.act(self._asker(request, session)))

        view = self._views.of(session)
        return StrawberryRunner(view, database, session, request.variables, context, read, turn, request.principal)

    async def apart(self, principal: str, work: Callable[[], T], size: int = 0) -> T:
        """The result of work that would hold the event loop, done on the compile thread when it is the principal's turn.

        `size` is that of the JSON that waits for it, in bytes.
        """
        return await self._planner.thread.run(principal, work, size=size_of_json(size))

    async def live_query(self, request: Request, session: Session) -> LiveQuery | None:
        """The plan of a subscription over tables; None for a hand-written one. Raises GraphQLRefusal."""
        compiled = await self._subscription(request, session)
        if not isinstance(compiled, LiveTables):
            return None
        plan, variables = compiled.plan, request.variables
        since = None if plan.stream is None else plan.stream.since(session, variables)
        return LiveQuery(plan, plan.shared(session, variables), plan.own_values(session, variables), self._asker(request, session), since)

    async def room(self, request: Request, session: Session, database: Database, context: object | None = None) -> Opened | None:
        """Where a subscription to a room leads; None for another one. Its events are read from `database`. Raises GraphQLRefusal."""
        compiled = await self._subscription(request, session)
        view = self._views.of(session)
        if not isinstance(compiled, HandWrittenSubscription) or not compiled.of_room:
            return None

        async def read(query: str, variables: Mapping[str, Any]) -> Any:
            # In nobody's share: many wait for what is read in the name of one.
            inner = Request(query, variables)
            plan = await self._planner.plan(view, await self._planner.document(view, inner), inner)
            if not isinstance(plan, TableQuery):
                raise TypeError("a feed reads tables")
            return orjson.loads(await database.fetch_json(plan.plan.sql, plan.plan.bind(session, variables)))["data"]

        field = compiled.field
        runner = self._strawberry(request, session, context, database, Beginning())
        place = await runner.place(field)
        if request.seen is not None:
            place = replace(place, after=request.seen.seq, epoch=request.seen.epoch or place.epoch)
        return Opened(place, session, (view.key, id(field)), partial(runner.encoder, field), read, partial(runner.refused, field))

    async def subscribe(self, request: Request, session: Session, context: object | None = None) -> AsyncGenerator[bytes, None]:
        """The payloads `{"data": …}` of a hand-written subscription; a refusal ends it and is raised."""
        compiled = await self._subscription(request, session)
        if not isinstance(compiled, HandWrittenSubscription):
            raise TypeError("a live query has a plan, not events")
        fields = self._strawberry(request, session, context, self._database.request(self._asker(request, session)), Beginning())
        async with aclosing(fields.events(compiled.field)) as payloads:
            async for payload in payloads:
                yield payload

    async def _subscription(self, request: Request, session: Session) -> Compiled:
        if await self.kind(request, session) != "subscription":
            raise TypeError("not a subscription")
        with not_too_deep():
            view = self._views.of(session)
            return await self._planner.plan(view, await self._planner.document(view, request), request)


def _not_too_large(steps: Steps, request: Request) -> None:
    """What an action is given is read on the event loop, by graphql-core and key by key; no action needs much."""
    if request.size > LARGEST_ACTION and any(isinstance(step, HandWritten) for step in steps.steps):
        raise GraphQLRefusal("validation-failed", f"a request with an action is at most {LARGEST_ACTION} bytes")
