"""From a request to its plan: known ones at once, short new ones on the event loop, all others in turns on a thread."""

from functools import partial

from graphql import GraphQLSchema

from permissions.api_limits import ApiLimits
from permissions.errors import GraphQLRefusal
from resolvers.compile import compile_operation
from resolvers.compile_thread import CompileThread, size_of_json
from resolvers.compiled import Compiled, Introspection
from resolvers.documents.document import Operation, read_operation
from resolvers.documents.limits import MEMBER, Budget, Limits, TooLong
from resolvers.documents.measure import check_size
from resolvers.documents.request import Request, Tally
from resolvers.documents.variables import Variables
from resolvers.loop_share import LoopShare
from resolvers.plan_cache import CachedDocument, PlanCache, Planned
from resolvers.roles.role_views import RoleView
from resolvers.run.introspection import introspect
from resolvers.walk.walk import Walk
from schema.model import Catalog

# The event loop is held for about 10 ms by what is just shorter: a document of this many characters, a compilation of this cost.
_SHORT_DOCUMENT = 2_000
_SHORT_COMPILATION = 150
# Bytes of variables from which on even their shape takes long.
_LARGE_VARIABLES = 32 * 1024
# An introspection that is not in memory.
_TELLING = 500
# Characters of a document that take as long to parse as a field to compile.
_PARSED = 32


class Planner:
    """Owns the plans of all roles. What runs on the thread gets what it needs and gives back what it made.

    `compares`: documents are looked up in an allow list.
    """

    def __init__(self, catalog: Catalog, limits: Limits, api_limits: ApiLimits, *, compares: bool) -> None:
        self._catalog, self._limits, self._api_limits, self._compares = catalog, limits, api_limits, compares
        self._plans, self.thread, self._share = PlanCache(), CompileThread(), LoopShare()

    async def document(self, view: RoleView, request: Request) -> CachedDocument:
        """The request's operation, parsed; raises validation-failed for a document without a clear one."""
        self._charge(request, MEMBER + len(request.query) // _PARSED)
        known = self._plans.document(view.key, request)
        if known is not None:
            return known
        if len(request.query) <= _SHORT_DOCUMENT and self._share.is_left(request.principal):
            self._share.take(request.principal, 1 + len(request.query) // _PARSED)
            operation = self._read(request)
        else:
            operation = await self.thread.run(request.principal, partial(self._read, request), size=len(request.query))
        return self._plans.keep(view.key, request, operation)

    def _read(self, request: Request) -> Operation:
        return read_operation(request.query, request.operation_name, is_compared=self._compares)

    async def plan(self, view: RoleView, document: CachedDocument, request: Request) -> Compiled:
        """The compiled operation; raises the first violation, and what is too much for one request or for its batch."""
        if request.size - len(request.query) > _LARGE_VARIABLES:
            work, size = partial(self._fully, view, request, document, once=True), len(request.query) + size_of_json(request.size)
            return (await self.thread.run(request.principal, work, size=size)).compiled
        planned = document.planned(request.variables)
        if planned is None:
            return (await self._new(view, request, document)).compiled
        self._charge(request, planned.cost)
        return planned.compiled

    async def introspection(self, view: RoleView, request: Request, asked: Introspection) -> dict[str, bytes]:
        """What the role's schema says about itself: from memory, for every client of a console asks the same."""
        schema: GraphQLSchema = view.schema._schema
        if asked.constant is None:
            self._charge(request, _TELLING)
            return await self.thread.run(request.principal, lambda: introspect(schema, asked, request.variables))
        text = asked.constant
        known = view.answers.get(text)
        if known is None:
            self._charge(request, _TELLING)
            known = await self.thread.run(request.principal, lambda: introspect(schema, asked, {}), lambda: view.answers.get(text))
            view.answers.put(text, known, sum(map(len, known.values())))
        return known

    async def _new(self, view: RoleView, request: Request, document: CachedDocument) -> Planned:
        planned = self._at_once(view, request, document)
        if planned is None:
            work = partial(self._fully, view, request, document)
            planned = await self.thread.run(request.principal, work, lambda: document.planned(request.variables), size=len(request.query))
        self._plans.keep_plan(view.key, request, document, planned)
        return planned

    def _at_once(self, view: RoleView, request: Request, document: CachedDocument) -> Planned | None:
        """Compiled on the loop; None when that would hold it for too long, this time or by many times."""
        if not self._share.is_left(request.principal):
            return None
        budget = self._budget(request, _SHORT_COMPILATION)
        try:
            return self._compile(view, request, document.operation, budget)
        except TooLong:
            return None
        finally:
            self._share.take(request.principal, budget.spent)

    def _fully(self, view: RoleView, request: Request, document: CachedDocument, once: bool = False) -> Planned:
        """Compiled on the thread, whatever it takes within the request's limits."""
        return self._compile(view, request, document.operation, self._budget(request), once)

    def _budget(self, request: Request, at_once: int | None = None) -> Budget:
        return Budget(self._limits, 0 if request.tally is None else request.tally.cost, at_once)

    def _compile(self, view: RoleView, request: Request, operation: Operation, budget: Budget, once: bool = False) -> Planned:
        tally = request.tally or Tally()
        variables = Variables(operation, request.variables, once=once)
        walk = Walk(view.schema._schema, self._catalog, view.rules, variables, view.costs, budget)
        try:
            check_size(operation, self._api_limits, view.rules.role)
            compiled = compile_operation(walk, operation)
        except GraphQLRefusal:
            tally.cost += budget.spent
            raise
        tally.cost += budget.spent
        return Planned(compiled, budget.spent - budget.on_values, variables.pins)

    def _charge(self, request: Request, cost: int) -> None:
        """Members of a batch have one budget together, whether their plans are known or not."""
        if request.tally is not None:
            self._budget(request).spend(cost, "$")
            request.tally.cost += cost
