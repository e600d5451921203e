"""What a product adds to the engine. Foreign metadata has nothing of it."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

from starlette.routing import BaseRoute
from starlette.types import Scope

from app.foundation import Foundation
from app.graphql.ports import ContextOf
from app.http.health import Check
from app.telemetry.moments import Observe
from permissions.resolving.resolve import Resolved
from permissions.session import Session
from resolvers.hand_written.action_fields import ActionFields
from resolvers.run.insert_budgets import InsertBudgets


def no_context(_session: Session, _scope: Scope) -> object:
    """Foreign metadata has no actions that would need one."""
    return None


def nothing_follows(_resolved: Resolved) -> None:
    """Nothing of foreign metadata is asked for by anything but the engine."""


@dataclass(frozen=True, slots=True)
class Product:
    """`context_of` makes what resolvers get beside the session, `insert_budgets` and `actions` are the engine's, `begin_anew` has all else
    follow other rules from now on.

    Foreign metadata has nothing of this: `Product()`.
    """

    context_of: ContextOf = no_context
    checks: Sequence[Check] = ()
    routes: Sequence[BaseRoute] = ()
    insert_budgets: InsertBudgets = field(default_factory=dict)
    actions: ActionFields = field(default_factory=ActionFields)
    begin_anew: Callable[[Resolved], None] = nothing_follows


OpensProduct = Callable[[Foundation, Observe], AbstractAsyncContextManager[Product]]
