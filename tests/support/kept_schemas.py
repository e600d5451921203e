"""Schemas, made once for all services of a test process that have the same tables and rules: making them is nearly all that a start
costs. What a start does otherwise is tested by starting the command."""

import asyncio
import gc
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from strawberry import Schema

import resolvers.actions
import resolvers.engine
import resolvers.roles.role_views
from permissions.rules import RoleRules
from resolvers.hand_written.action_fields import ActionFields, scan
from resolvers.roles.role_schema import derive
from resolvers.roles.role_views import RoleViews
from resolvers.roles.visibility import Visibility
from resolvers.roles.whole_schema import EngineSchema, whole_schema
from schema.model import Catalog, TableName, TrackedFunction, TrackedTable
from schema.naming import Naming
from tests.support.domain_setup import product_rules

Contents = tuple[dict[TableName, TrackedTable], str | None, Naming, dict[TableName, TrackedFunction]]
NO_TABLE = sa.Table("none", sa.MetaData())
# Whole schemas that are kept: the product's with its actions, and what neighbouring tests made for foreign tables.
KEPT = 12


class KeptSchemas:
    """Each by what it was made of, the latest first."""

    def __init__(self) -> None:
        self._whole: list[tuple[Contents, ActionFields, EngineSchema]] = []
        self._roles: list[tuple[Schema, Contents, RoleRules, bool, Schema]] = []

    def whole(self, catalog: Catalog, actions: ActionFields) -> EngineSchema:
        """As `whole_schema`."""
        of = contents(catalog)
        known = next((kept for kept in self._whole if kept[1] == actions and kept[0] == of), None)
        if known is None:
            known = of, actions, whole_schema(catalog, actions)
        self._whole = [known, *(kept for kept in self._whole if kept is not known)]
        for _, _, forgotten in self._whole[KEPT:]:
            self._roles = [kept for kept in self._roles if kept[0] is not forgotten]
        del self._whole[KEPT:]
        return known[2]

    def of_role(self, whole: EngineSchema, visibility: Visibility, sees_action: Callable[[str, Any], bool]) -> Schema:
        """As `derive`; which actions a role sees stands in its rules."""
        of = contents(visibility._catalog), visibility._rules, visibility._backend_only
        for of_whole, *known, schema in self._roles:
            if whole is of_whole and of == tuple(known):
                return schema
        schema = derive(whole, visibility, sees_action)
        if any(whole is kept for _, _, kept in self._whole):
            self._roles.append((whole, *of, schema))
        return schema


def contents(catalog: Catalog) -> Contents:
    """All that a catalog says. It is itself equal to no other, nor are SQLAlchemy's tables, which schemas know by name alone."""
    tables = {name: replace(tracked, table=NO_TABLE) for name, tracked in catalog.tables.items()}
    return tables, catalog.epoch, catalog.naming, dict(catalog.functions)


def keep_schemas() -> KeptSchemas:
    """From now on, in this process."""
    kept = KeptSchemas()
    setattr(resolvers.engine, "whole_schema", kept.whole)  # noqa: B010 - not what its type says
    setattr(resolvers.roles.role_views, "derive", kept.of_role)  # noqa: B010
    return kept


def make_schemas(database_url: str) -> None:
    """Makes them ahead, for all that this process forks, over a database at the newest migration."""
    kept, product = keep_schemas(), asyncio.run(product_rules(database_url))
    RoleViews(product.catalog, product.roles, kept.whole(product.catalog, scan(resolvers.actions))).derive_all()
    gc.collect()
    gc.freeze()
