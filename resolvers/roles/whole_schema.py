"""The whole Strawberry schema of a service: root fields over tables, actions and hand-written subscriptions."""

from collections.abc import Sequence
from typing import Any, cast

import strawberry
from graphql import GraphQLError
from strawberry import Schema
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

from resolvers.hand_written.action_fields import ActionFields
from resolvers.hand_written.ready_json import PreparedDocument, SplicingExecutor
from resolvers.hand_written.table_rows import TableRowField
from resolvers.roles.role_schema import NO_QUERIES
from schema.model import Catalog
from schema.table_types.definitions import Definitions
from schema.table_types.root_fields import catalog_types
from schema.table_types.scalars import scalar_map

NOTHING_TO_QUERY = "There are no queries available to the current role."


class EngineSchema(Schema):
    """Strawberry's schema over types made at start; fields that point at rows of tables get their types here."""

    def __init__(self, definitions: Definitions, **roots: Any) -> None:
        self._definitions = definitions
        config = StrawberryConfig(auto_camel_case=False, scalar_map=cast(Any, scalar_map()))
        super().__init__(**roots, config=config, extensions=[PreparedDocument], execution_context_class=SplicingExecutor)

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Strawberry would log each error with a piece of the document, where secrets may stand; the engine logs what is ours."""

    def get_fields(self, type_definition: StrawberryObjectDefinition) -> list[StrawberryField]:
        return [
            field.over(self._definitions) if isinstance(field, TableRowField) else field for field in super().get_fields(type_definition)
        ]


def whole_schema(catalog: Catalog, actions: ActionFields) -> EngineSchema:
    """Everything that any role might see; each role gets its own view of it."""
    types = catalog_types(catalog)
    query = _root(types.definitions, "query_root", [*types.query, *actions.query, _no_queries()])
    mutation = _root(types.definitions, "mutation_root", [*types.mutation, *actions.mutation])
    subscription = _root(types.definitions, "subscription_root", [*types.subscription, *actions.subscription])
    return EngineSchema(types.definitions, query=query, mutation=mutation, subscription=subscription)


def _root(definitions: Definitions, name: str, fields: Sequence[StrawberryField]) -> Any:
    return definitions.object_type(name, fields) if fields else None


def _no_queries() -> StrawberryField:
    """Hasura's root field for a role without any: a root type can't be empty."""

    def nothing() -> str:
        return NOTHING_TO_QUERY

    field = strawberry.field(resolver=nothing, name=NO_QUERIES, description=NOTHING_TO_QUERY)
    return cast(StrawberryField, field)
