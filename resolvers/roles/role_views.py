"""Each role's schema and rules: those of the metadata are made at the start, so that no request waits for them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from strawberry import Schema

from permissions.rules import RoleRules
from permissions.session import ADMIN, Session
from resolvers.documents.lru import LRU
from resolvers.roles.role_schema import ROLES, derive
from resolvers.roles.visibility import Visibility
from resolvers.roles.whole_schema import EngineSchema
from resolvers.walk.rule_costs import RuleCosts
from schema.model import Catalog

ViewKey = tuple[str, bool]
# The consoles and code generators in use ask in a handful of ways; an answer is half a megabyte.
_ANSWERS = 8
_BYTES = 32 << 20


@dataclass(frozen=True, slots=True)
class RoleView:
    """What one role works with; `key` tells views apart in the plan cache, `answers` keeps what introspection has told."""

    key: ViewKey
    rules: RoleRules
    schema: Schema
    costs: RuleCosts
    answers: LRU[str, dict[str, bytes]] = field(default_factory=lambda: LRU(_ANSWERS, _BYTES))


class RoleViews:
    """A role that the metadata doesn't know sees an empty schema; all of them share one."""

    def __init__(self, catalog: Catalog, rules: Mapping[str, RoleRules], whole: EngineSchema) -> None:
        self._catalog, self._rules, self._whole = catalog, rules, whole
        self._views: dict[ViewKey, RoleView] = {}
        # Hasura: in a namespace, the type of mutations has another name for trusted servers.
        named = catalog.naming.namespace is not None
        self._for_backends = {role for role, given in rules.items() if named or _has_backend_only(given)}

    def of(self, session: Session) -> RoleView:
        """The view of a session's role; backends have one of their own where they see something else."""
        role = session.role if session.role in self._rules else ""
        return self._view((role, session.backend_only and role in self._for_backends))

    def derive_all(self) -> None:
        """Makes every view there can be."""
        for role in ("", *self._rules):
            for backend_only in (False, True) if role in self._for_backends else (False,):
                self._view((role, backend_only))
        self._whole.forget_shape()

    def _view(self, key: ViewKey) -> RoleView:
        view = self._views.get(key)
        if view is None:
            view = self._views[key] = self._derive(key)
        return view

    def _derive(self, key: ViewKey) -> RoleView:
        role, backend_only = key
        rules = self._rules.get(role, RoleRules(role))

        def sees_action(name: str, field: Any) -> bool:
            roles = field.metadata.get(ROLES, frozenset())
            return name in rules.actions or role in roles or (bool(roles) and role == ADMIN)

        schema = derive(self._whole, Visibility(self._catalog, rules, backend_only=backend_only), sees_action)
        return RoleView(key, rules, schema, RuleCosts(self._catalog, rules))


def _has_backend_only(rules: RoleRules) -> bool:
    """Whether the role writes somewhere for trusted servers alone."""
    return any(rule.backend_only for written in (rules.insert, rules.update, rules.delete) for rule in written.values())
