"""A namespace in the schemas of roles: what each finds in it, and under which names. What roles see alike they share."""

import json
from collections.abc import AsyncIterator

import asyncpg
import pytest
from graphql import GraphQLSchema, build_schema, print_schema, print_type, validate_schema

from permissions.session import Session
from resolvers.hand_written.action_fields import ActionFields
from resolvers.roles.role_views import RoleViews
from resolvers.roles.whole_schema import whole_schema
from tests.engine.authors import SQL, metadata
from tests.engine.library import Library, library
from tests.support.databases import Databases
from tests.support.refusals import error_in

pytestmark = pytest.mark.anyio

USER = Session("user", {"x-hasura-user-id": "1"})
SERVER = Session("user", {"x-hasura-user-id": "1"}, trusted=True, backend_only=True)
# Rows of presets alone, which nobody but a trusted server inserts.
INSERT = {"columns": [], "check": {}, "set": {"list_id": 5}, "backend_only": True}
READ = {"columns": ["id"], "filter": {}, "query_root_fields": ["select_by_pk"], "subscription_root_fields": []}
WRITE = "mutation { shop { insert_shop_price_list(objects: {}) { affected_rows } } }"


@pytest.fixture(scope="module")
async def shop(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Library]:
    given = metadata({"root_fields": {"namespace": "shop"}, "type_names": {"suffix": "_t"}})
    authors, _, prices = given["sources"][0]["tables"]
    authors["select_permissions"] = [{"role": "reader", "permission": READ}]
    prices["insert_permissions"] = [{"role": "user", "permission": INSERT}]
    folder = tmp_path_factory.mktemp("shop")
    (folder / "metadata.json").write_text(json.dumps(given))
    with databases.temporary() as url:
        connection = await asyncpg.connect(url)
        await connection.execute(SQL)
        await connection.close()
        async with library(url, folder / "metadata.json") as opened:
            assert opened.resolved.problems == ()
            yield opened


def views(shop: Library) -> tuple[RoleViews, GraphQLSchema]:
    """The roles' views and the whole schema, at which nobody has looked."""
    whole = whole_schema(shop.resolved.catalog, ActionFields())
    return RoleViews(shop.resolved.catalog, shop.resolved.roles, whole), whole._schema


def roots(schema: GraphQLSchema) -> dict[str, dict[str, str]]:
    """The fields of root types and namespaces, with their types."""
    names = [name for name in schema.type_map if name.endswith("_root") or (name.startswith("shop_") and "_price" not in name)]
    return {name: {key: str(field.type) for key, field in schema.type_map[name].fields.items()} for name in names}  # type: ignore[attr-defined]


async def test_each_role_has_its_own(shop: Library) -> None:
    of = views(shop)[0].of
    assert roots(of(USER).schema._schema) == {
        "mutation_root": {"shop": "shop_mutation_frontend_t"},
        "query_root": {"shop": "shop_query_t"},
        "shop_mutation_frontend_t": {
            "update_article_local": "article_local_mutation_response_t",
            "update_article_local_by_pk": "article_local_t",
            "update_article_local_many": "[article_local_mutation_response_t]",
        },
        "shop_query_t": {
            "article_local": "[article_local_t!]!",
            "article_local_aggregate": "article_local_aggregate_t!",
            "article_local_by_pk": "article_local_t",
        },
        "shop_subscription_t": {
            "article_local": "[article_local_t!]!",
            "article_local_aggregate": "article_local_aggregate_t!",
            "article_local_by_pk": "article_local_t",
            "article_local_stream": "[article_local_t!]!",
        },
        "subscription_root": {"shop": "shop_subscription_t"},
    }
    assert roots(of(Session("reader")).schema._schema) == {
        "query_root": {"shop": "shop_query_t"},
        "shop_query_t": {"author_local_by_pk": "author_local_t"},
    }
    assert roots(of(Session("nobody")).schema._schema) == {"query_root": {"no_queries_available": "String!"}}


@pytest.mark.parametrize("backend_only", [False, True])
@pytest.mark.parametrize("role", ["admin", "user", "reader", "nobody"])
async def test_each_is_a_valid_schema_that_shares_what_is_seen_whole(role: str, backend_only: bool, shop: Library) -> None:
    made, whole = views(shop)
    own = made.of(Session(role, trusted=True, backend_only=backend_only)).schema._schema
    shared = {name for name, type_ in own.type_map.items() if type_ is whole.type_map.get(name)}
    if role == "admin":
        named = {"mutation_root", "shop_mutation_backend_t"} if backend_only else set[str]()
        assert own.type_map.keys() - shared == {"query_root"} | named
    assert list(own.type_map) == sorted(own.type_map)
    own._validation_errors = None
    # What trusted servers insert is all preset: they give an empty object.
    empty = backend_only and role == "user"
    told = ["Input Object type shop_price_list_insert_input_t must define one or more fields."] if empty else []
    assert [error.message for error in validate_schema(own)] == told
    assert print_schema(build_schema(print_schema(own))) == print_schema(own)


async def test_trusted_servers_have_mutations_under_another_name(shop: Library) -> None:
    """Hasura: whatever the role may do there."""
    made, _ = views(shop)
    for session in (USER, Session("admin"), Session("user", trusted=True), Session("admin", trusted=True)):
        types = made.of(session).schema._schema.type_map
        assert "shop_mutation_frontend_t" in types and "shop_mutation_backend_t" not in types
    for session in (SERVER, Session("admin", trusted=True, backend_only=True)):
        types = made.of(session).schema._schema.type_map
        assert "shop_mutation_backend_t" in types and "shop_mutation_frontend_t" not in types
        assert types["mutation_root"].fields["shop"].type is types["shop_mutation_backend_t"]  # type: ignore[attr-defined]
        assert print_type(types["shop_mutation_backend_t"]).startswith("type shop_mutation_backend_t {")
    reader = made.of(Session("reader", trusted=True, backend_only=True)).schema._schema
    assert reader.mutation_type is None and not [name for name in reader.type_map if "mutation" in name]


async def test_what_is_for_trusted_servers_is_refused_to_others(shop: Library) -> None:
    refused = error_in(await shop.ask(WRITE, session=USER), WRITE)
    assert refused["message"] == "field 'insert_shop_price_list' not found in type: 'shop_mutation_frontend_t'"
    assert refused["extensions"]["path"] == "$.selectionSet.shop.selectionSet.insert_shop_price_list"
    assert await shop.value("SELECT count(*) FROM shop.price_list") == 1
    asked = WRITE.replace("{ shop {", "{ shop { ... on shop_mutation_backend_t { __typename }")
    answer = await shop.ask(asked, session=SERVER)
    assert answer["data"] == {"shop": {"__typename": "shop_mutation_backend_t", "insert_shop_price_list": {"affected_rows": 1}}}
    assert await shop.value("SELECT array_agg(list_id ORDER BY list_id) FROM shop.price_list") == [1, 5]
