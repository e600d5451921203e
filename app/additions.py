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
from permissions.session import Session
from resolvers.hand_written.action_fields import ActionFields
from resolvers.run.insert_budgets import InsertBudgets


def no_context(_session: Session, _scope: Scope) -> object:
    """Foreign metadata has no actions that would need one."""
    return None


@dataclass(frozen=True, slots=True)
class Product:
    """`context_of` makes what resolvers get beside the session, `insert_budgets` and `actions` are the engine's.

    Foreign metadata has nothing of this: `Product()`.
    """

    context_of: ContextOf = no_context
    checks: Sequence[Check] = ()
    routes: Sequence[BaseRoute] = ()
    insert_budgets: InsertBudgets = field(default_factory=dict)
    actions: ActionFields = field(default_factory=ActionFields)


OpensProduct = Callable[[Foundation, Observe], AbstractAsyncContextManager[Product]]
