"""The whole schema of a service: the types of tables as graphql-core has them, and what is written by hand as Strawberry makes it."""

from functools import cached_property
from typing import Any, cast

import strawberry
from graphql import GraphQLError, GraphQLField, GraphQLObjectType, GraphQLSchema
from strawberry import Schema
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.types.concrete_type import ConcreteType
from strawberry.types import ExecutionContext
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

from resolvers.hand_written.action_fields import ActionFields
from resolvers.hand_written.ready_json import PreparedDocument, SplicingExecutor
from resolvers.hand_written.root_types import object_type, root_type
from resolvers.hand_written.table_rows import TableRowField
from resolvers.roles.published import publish
from resolvers.roles.shape import NO_QUERIES, Shape
from schema.model import Catalog
from schema.table_types.root_fields import CatalogTypes, catalog_types
from schema.table_types.scalars import scalar_map

NOTHING_TO_QUERY = (
    "There are no queries available to the current role. Either there are no sources or remote schemas configured, "
    "or the current role doesn't have the required permissions."
)


class EngineSchema(Schema):
    """What is written by hand, as Strawberry makes and runs it, and beside it the types of the tables, which it never resolves."""

    def __init__(self, tables: CatalogTypes, actions: ActionFields) -> None:
        self._tables, self._rows = tables.types, dict[str, Any]()
        config = StrawberryConfig(auto_camel_case=False, scalar_map=cast(Any, scalar_map(tables.types)))
        super().__init__(
            query=root_type("query_root", [*actions.query, _no_queries()]),
            mutation=root_type("mutation_root", actions.mutation),
            subscription=root_type("subscription_root", actions.subscription),
            config=config,
            extensions=[PreparedDocument],
            execution_context_class=SplicingExecutor,
        )
        schema: GraphQLSchema = self._schema
        schema.query_type = _extended(schema.query_type, "query_root", tables.query)
        schema.mutation_type = _extended(schema.mutation_type, "mutation_root", tables.mutation)
        schema.subscription_type = _extended(schema.subscription_type, "subscription_root", tables.subscription)
        roots = (schema.query_type, schema.mutation_type, schema.subscription_type)
        schema.type_map = {**schema.type_map, **tables.types, **{root.name: root for root in roots if root is not None}}
        publish(schema)

    @cached_property
    def shape(self) -> Shape:
        """What decides on each role's view, found once for all of them."""
        return Shape(self._schema)

    def forget_shape(self) -> None:
        """It is found again when another role needs it."""
        vars(self).pop("shape", None)

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Strawberry would log each error with a piece of the document, where secrets may stand; the engine logs what is ours."""

    def get_fields(self, type_definition: StrawberryObjectDefinition) -> list[StrawberryField]:
        """Fields that point at rows of tables get their types here."""
        fields = super().get_fields(type_definition)
        return [field.over(self._row(field.meaning.table)) if isinstance(field, TableRowField) else field for field in fields]

    def _row(self, name: str) -> Any:
        """The class that stands for a table's row in annotations; Strawberry finds the type that is there as one it has made itself."""
        if name not in self._rows:
            row = self._rows[name] = object_type(name, ())
            made = ConcreteType(definition=row.__strawberry_definition__, implementation=self._tables[name])
            self.schema_converter.type_map[name] = made
        return self._rows[name]


def whole_schema(catalog: Catalog, actions: ActionFields) -> EngineSchema:
    """Everything that any role might see; each role gets its own view of it."""
    return EngineSchema(catalog_types(catalog), actions)


def _extended(root: GraphQLObjectType | None, name: str, fields: dict[str, GraphQLField]) -> GraphQLObjectType | None:
    """The root with the fields of tables; what is written by hand takes the place of a table's."""
    if root is None:
        root = GraphQLObjectType(name, {})
    root.fields = {**fields, **root.fields}
    return root if root.fields else None


def _no_queries() -> StrawberryField:
    """Hasura's root field for a role without any: a root type can't be empty."""

    def nothing() -> str:
        return NOTHING_TO_QUERY

    field = strawberry.field(resolver=nothing, name=NO_QUERIES, description=NOTHING_TO_QUERY)
    return cast(StrawberryField, field)
