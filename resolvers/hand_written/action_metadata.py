"""The actions as Hasura metadata: their types as SDL, and `actions.yaml` with who may call them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLNamedType, GraphQLObjectType, print_type
from strawberry import Schema
from strawberry.schema.config import StrawberryConfig
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

from resolvers.hand_written.action_fields import ActionFields
from resolvers.hand_written.root_types import root_type
from resolvers.hand_written.table_rows import TableRowField
from schema.model import Catalog, TableName
from schema.table_types.meaning import MEANING, OfTableRow
from schema.table_types.scalars import scalar_map

ROOTS = ("Query", "Mutation")


class _ActionSchema(Schema):
    """The actions alone; in Hasura a payload's rows of tables are relationships beside the SDL."""

    def get_fields(self, type_definition: StrawberryObjectDefinition) -> list[StrawberryField]:
        return [field for field in super().get_fields(type_definition) if not isinstance(field, TableRowField)]


def action_sdl(fields: ActionFields) -> str:
    """`actions.graphql`: the actions as fields of Query and Mutation, and the types they use."""
    return "\n\n".join(print_type(type_) for type_ in _types(fields)) + "\n"


def action_document(fields: ActionFields, catalog: Catalog, roles: Mapping[str, Sequence[str]], handler: str) -> dict[str, Any]:
    """`actions.yaml`: `roles` by action name (an action without an entry is for admin alone), `handler` is where a Hasura would find us."""
    actions = [
        {
            "name": name,
            "definition": {"kind": "synchronous" if root == "Mutation" else "", "handler": handler, "type": root.lower()},
            "permissions": [{"role": role} for role in roles.get(name, ())],
        }
        for root, members in ((root, _roots(fields)[root]) for root in ROOTS)
        for name in sorted(cast(str, field.graphql_name) for field in members)
    ]
    types = [type_ for type_ in _types(fields) if type_.name not in ROOTS]
    custom: dict[str, Any] = {
        "enums": [{"name": type_.name} for type_ in types if isinstance(type_, GraphQLEnumType)],
        "input_objects": [{"name": type_.name} for type_ in types if isinstance(type_, GraphQLInputObjectType)],
        "objects": [_object(type_, catalog) for type_ in types if isinstance(type_, GraphQLObjectType)],
        "scalars": [],
    }
    return {"actions": actions, "custom_types": custom}


def _roots(fields: ActionFields) -> dict[str, Sequence[StrawberryField]]:
    return {"Query": fields.query, "Mutation": fields.mutation}


def _types(fields: ActionFields) -> list[GraphQLNamedType]:
    """Root types first. Scalars are PostgreSQL's, which Hasura knows by itself."""
    roots = {root.lower(): root_type(root, members) for root, members in _roots(fields).items() if members}
    config = StrawberryConfig(auto_camel_case=False, scalar_map=cast(Any, scalar_map({})))
    schema = _ActionSchema(**roots, config=config)
    kinds = (GraphQLObjectType, GraphQLInputObjectType, GraphQLEnumType)
    types = [type_ for name, type_ in schema._schema.type_map.items() if isinstance(type_, kinds) and not name.startswith("__")]
    return sorted(types, key=lambda type_: (ROOTS.index(type_.name) if type_.name in ROOTS else len(ROOTS), type_.name))


def _object(type_: GraphQLObjectType, catalog: Catalog) -> dict[str, Any]:
    relationships = list(_relationships(type_, catalog))
    return {"name": type_.name, "relationships": relationships} if relationships else {"name": type_.name}


def _relationships(type_: GraphQLObjectType, catalog: Catalog) -> Iterator[dict[str, Any]]:
    """Hasura relates a payload to one row by key; a list of keys has no counterpart there."""
    definition: StrawberryObjectDefinition = type_.extensions["strawberry-definition"]
    tables = {table.graphql_name: table for table in catalog}
    names = {field.python_name: field.graphql_name for field in definition.fields}
    for field in definition.fields:
        meaning = field.metadata.get(MEANING)
        if isinstance(meaning, OfTableRow) and not meaning.many:
            table = tables[meaning.table]
            keys = {names[key]: str(column) for key, column in zip(meaning.key_attributes, table.primary_key, strict=True)}
            yield {"name": field.graphql_name, "type": "object", "remote_table": _remote(table.name), "field_mapping": keys}


def _remote(name: TableName) -> dict[str, str]:
    return {"schema": str(name.schema), "name": str(name.name)}
