"""Root fields in a namespace. Hasura: `GraphQL/Namespace.hs`, and its types' names in `GraphQL/Schema.hs`."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from app.hints import open_hub
from permissions.api_limits import ApiLimit, ApiLimits
from permissions.errors import GraphQLRefusal
from permissions.session import Session
from resolvers.documents.limits import Limits
from resolvers.documents.request import Request
from resolvers.engine import Engine
from resolvers.live.cohorts import LiveQueries
from tests.engine.authors import authors
from tests.engine.library import Library, library
from tests.functions.posts import SQL as POSTS
from tests.functions.posts import metadata as posts_metadata
from tests.support.databases import Databases
from tests.support.refusals import error_in
from tests.support.unshared import Unshared

pytestmark = pytest.mark.anyio

BATCH = "article_local_stream(batch_size: 1, cursor: {initial_value: {id: 1}}) { id }"
PLAIN = {"root_fields": {"namespace": "shop"}}
AROUND = {
    "root_fields": {"namespace": "shop", "prefix": "my_", "suffix": "_of"},
    "type_names": {"prefix": "Pre_", "suffix": "_post"},
}
GRAPHQL = {
    "root_fields": {"namespace": "shop", "prefix": "my"},
    "type_names": {"prefix": "pre"},
    "naming_convention": "graphql-default",
}
USER = Session("user", {"x-hasura-user-id": "1"})
STRANGER = Session("stranger", {"x-hasura-user-id": "1"})


@pytest.fixture(scope="module")
async def shop(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Library]:
    """Authors in a namespace, for tests that change nothing."""
    async with authors(databases, tmp_path_factory.mktemp("shop"), PLAIN) as opened:
        yield opened


@pytest.fixture
async def own_shop(databases: Databases, tmp_path: Path) -> AsyncIterator[Library]:
    async with authors(databases, tmp_path, PLAIN) as opened:
        yield opened


@pytest.mark.parametrize(
    ("customization", "query", "data"),
    [
        (
            PLAIN,
            "{ shop { __typename author_local_by_pk(id: 1) { full_name __typename } } }",
            {"shop": {"__typename": "shop_query", "author_local_by_pk": {"full_name": "Author 1", "__typename": "author_local"}}},
        ),
        (
            AROUND,
            "{ shop { my_author_local_by_pk_of(id: 2) { full_name __typename } } }",
            {"shop": {"my_author_local_by_pk_of": {"full_name": "Author 2", "__typename": "Pre_author_local_post"}}},
        ),
        (
            GRAPHQL,
            "{ shop { __typename myAuthorLocalByPk(id: 2) { __typename } } __typename }",
            {"shop": {"__typename": "preShop_query", "myAuthorLocalByPk": {"__typename": "preAuthorLocal"}}, "__typename": "query_root"},
        ),
        (
            AROUND,
            "mutation { __typename shop { __typename my_delete_author_local_by_pk_of(id: 9) { id } } }",
            {
                "__typename": "mutation_root",
                "shop": {"__typename": "Pre_shop_mutation_frontend_post", "my_delete_author_local_by_pk_of": None},
            },
        ),
        (
            GRAPHQL,
            "mutation { shop { __typename myUpdateArticleLocalByPk(pkColumns: {id: 1}, _set: {wordCount: 3}) { wordCount } } }",
            {"shop": {"__typename": "preShop_mutation_frontend", "myUpdateArticleLocalByPk": {"wordCount": 3}}},
        ),
    ],
)
async def test_names(databases: Databases, tmp_path: Path, customization: Any, query: str, data: Any) -> None:
    async with authors(databases, tmp_path, customization) as opened:
        assert await opened.ask(query) == {"data": data}


async def test_what_introspection_tells(shop: Library) -> None:
    """One field in each root type, which may be null and has no description; a role that may not write has no mutation_root."""
    query = """{ __schema { queryType { ...T } mutationType { ...T } subscriptionType { ...T } } }
      fragment T on __Type { name fields { name description args { name } type { kind name fields { name } } } }"""
    told = (await shop.ask(query))["data"]["__schema"]
    for kind, type_ in (("query", "shop_query"), ("mutation", "shop_mutation_frontend"), ("subscription", "shop_subscription")):
        (field,) = (field for field in told[f"{kind}Type"]["fields"] if field["name"] != "no_queries_available")
        assert (field["name"], field["description"], field["args"]) == ("shop", None, [])
        assert (field["type"]["kind"], field["type"]["name"]) == ("OBJECT", type_)
    streams = {field["name"] for field in told["subscriptionType"]["fields"][0]["type"]["fields"]}
    assert {"author_local", "author_local_stream", "author_local_aggregate"} <= streams
    of_user = (await shop.ask(query, session=USER))["data"]["__schema"]
    assert [field["name"] for field in of_user["mutationType"]["fields"][0]["type"]["fields"]] == [
        "update_article_local",
        "update_article_local_by_pk",
        "update_article_local_many",
    ]
    stranger = (await shop.ask(query, session=STRANGER))["data"]["__schema"]
    assert [field["name"] for field in stranger["queryType"]["fields"]] == ["no_queries_available"]
    assert (stranger["mutationType"], stranger["subscriptionType"]) == (None, None)


@pytest.mark.parametrize(
    ("query", "session", "path", "message"),
    [
        ("{ author_local { id } }", None, "$.selectionSet.author_local", "field 'author_local' not found in type: 'query_root'"),
        (
            "{ shop { nothing } }",
            None,
            "$.selectionSet.shop.selectionSet.nothing",
            "field 'nothing' not found in type: 'shop_query'",
        ),
        ("{ shop { __schema { types { name } } } }", None, None, "field '__schema' not found in type: 'shop_query'"),
        ("{ shop }", None, "$.selectionSet.shop", "missing selection set for 'shop'"),
        ("{ shop(a: 1) { author_local { id } } }", None, "$.selectionSet.shop", "'shop' has no argument named 'a'"),
        (
            "{ shop { author_local(limit: -1) { id } } }",
            None,
            "$.selectionSet.shop.selectionSet.author_local.args.limit",
            None,
        ),
        ("{ shop { author_local { id } } }", USER, None, "field 'author_local' not found in type: 'shop_query'"),
        ("{ shop { article_local { id } } }", STRANGER, "$.selectionSet.shop", "field 'shop' not found in type: 'query_root'"),
        ("mutation { shop { __typename } }", STRANGER, "$", "no mutations exist"),
        (
            "mutation { shop { delete_article_local(where: {}) { affected_rows } } }",
            USER,
            "$.selectionSet.shop.selectionSet.delete_article_local",
            "field 'delete_article_local' not found in type: 'shop_mutation_frontend'",
        ),
        ("{ a: shop { author_local { id } } a: __typename }", None, "$.selectionSet", None),
    ],
)
async def test_refusals(shop: Library, query: str, session: Session | None, path: str | None, message: str | None) -> None:
    before = await shop.value("SELECT array_agg(t::text ORDER BY id) FROM article_local t")
    error = error_in(await shop.ask(query, session=session), query)
    assert error["extensions"]["code"] == "validation-failed"
    assert path in (None, error["extensions"]["path"])
    assert message in (None, error["message"])
    assert await shop.value("SELECT array_agg(t::text ORDER BY id) FROM article_local t") == before


@pytest.mark.parametrize(
    ("query", "data"),
    [
        (
            "{ b: shop { y: author_local_by_pk(id: 2) { id } } __typename a: shop { author_local_by_pk(id: 1) { id } x: __typename } }",
            {
                "b": {"y": {"id": 2}},
                "__typename": "query_root",
                "a": {"author_local_by_pk": {"id": 1}, "x": "shop_query"},
            },
        ),
        (
            """{ ...R shop { ...F ...on shop_query { n: article_local_aggregate { aggregate { count } } } ...G } }
            fragment R on query_root { shop { author_local(limit: 1) { id } } }
            fragment F on shop_query { author_local(limit: 1) { full_name } }
            fragment G on shop_subscription { author_local(limit: 1) { tags } }""",
            {"shop": {"author_local": [{"id": 1, "full_name": "Author 1"}], "n": {"aggregate": {"count": 3}}}},
        ),
        ("query ($no: Boolean = false) { shop { a: __typename author_local @include(if: $no) { id } } }", {"shop": {"a": "shop_query"}}),
        # Hasura: it is made again of its fields, and without any it is not there.
        ("{ __typename shop { author_local @skip(if: true) { id } } }", {"__typename": "query_root"}),
        (
            '{ shop { author_local_by_pk(id: 1) { id } } __type(name: "shop_query") { name } }',
            {"shop": {"author_local_by_pk": {"id": 1}}, "__type": {"name": "shop_query"}},
        ),
        (
            "{ shop { shop_price_list { list_id } article_local(where: {written_by: {id: {_eq: 2}}}) { id written_by { id } } } }",
            {"shop": {"shop_price_list": [{"list_id": 1}], "article_local": [{"id": 3, "written_by": {"id": 2}}]}},
        ),
    ],
)
async def test_queries(shop: Library, query: str, data: Any) -> None:
    answer = await shop.ask(query)
    assert answer == {"data": data}
    assert list(answer["data"]) == list(data)


async def test_a_role_sees_its_own_rows(shop: Library) -> None:
    query = "{ shop { article_local(order_by: {id: asc}) { id } article_local_aggregate { aggregate { count } } } }"
    other = Session("user", {"x-hasura-user-id": "2"})
    assert (await shop.ask(query, session=USER))["data"]["shop"] == {
        "article_local": [{"id": 1}, {"id": 2}],
        "article_local_aggregate": {"aggregate": {"count": 2}},
    }
    assert (await shop.ask(query, session=other))["data"]["shop"]["article_local"] == [{"id": 3}]


async def test_mutations_run_in_their_order_in_one_transaction(own_shop: Library) -> None:
    answer = await own_shop.ask(
        """mutation {
          b: shop { insert_author_local_one(object: {id: 7, full_name: "new"}) { id }
                    update_author_local_by_pk(pk_columns: {id: 7}, _set: {full_name: "newer"}) { full_name } }
          a: shop { insert_article_local(objects: {author_id: 7, word_count: 1}) { affected_rows returning { written_by { full_name } } }
                    __typename }
          c: shop { delete_article_local(where: {author_id: {_eq: 7}}) { returning { word_count } } } }"""
    )
    assert answer["data"] == {
        "b": {"insert_author_local_one": {"id": 7}, "update_author_local_by_pk": {"full_name": "newer"}},
        "a": {
            "insert_article_local": {"affected_rows": 1, "returning": [{"written_by": {"full_name": "newer"}}]},
            "__typename": "shop_mutation_frontend",
        },
        "c": {"delete_article_local": {"returning": [{"word_count": 1}]}},
    }
    assert list(answer["data"]) == ["b", "a", "c"]
    query = """mutation {
      a: shop { insert_author_local_one(object: {id: 8}) { id } }
      b: shop { insert_author_local(objects: {id: 1}) { affected_rows } } }"""
    error = error_in(await own_shop.ask(query), query)
    assert error["extensions"] == {
        "code": "constraint-violation",
        "path": "$.selectionSet.shop.selectionSet.insert_author_local.args.objects",
    } | {key: value for key, value in error["extensions"].items() if key == "internal"}
    assert await own_shop.value("SELECT array_agg(id ORDER BY id) FROM author_local") == [1, 2, 7]


async def test_a_role_writes_its_own_rows_alone(own_shop: Library) -> None:
    update = "mutation { shop { update_article_local(where: {}, _set: {word_count: 0}) { affected_rows returning { id } } } }"
    answer = await own_shop.ask(update, session=Session("user", {"x-hasura-user-id": "2"}))
    assert answer == {"data": {"shop": {"update_article_local": {"affected_rows": 1, "returning": [{"id": 3}]}}}}
    assert await own_shop.value("SELECT array_agg(word_count ORDER BY id) FROM article_local") == [10, 20, 0]
    assert error_in(await own_shop.ask(update, session=Session("user")), update)["extensions"]["code"] == "not-found"
    assert await own_shop.value("SELECT array_agg(word_count ORDER BY id) FROM article_local") == [10, 20, 0]


async def test_live_queries_and_streams(own_shop: Library) -> None:
    async with open_hub() as hub, asyncio.timeout(20):
        queries = LiveQueries(Unshared(own_shop.database), hub.follow, look_every=0.1)
        live = await own_shop.engine.live_query(
            Request("subscription { s: shop { n: article_local_aggregate { aggregate { count } } } }"), USER
        )
        stream = await own_shop.engine.live_query(
            Request("subscription { shop { article_local_stream(batch_size: 2, cursor: {initial_value: {id: 1}}) { id } } }"), USER
        )
        typename = await own_shop.engine.live_query(Request("subscription { shop { __typename } }"), USER)
        assert live is not None and stream is not None and typename is not None
        async with aclosing(queries.follow(live)) as counts, aclosing(queries.follow(stream)) as batches:
            assert json.loads(await (await anext(counts)).take()) == {"data": {"s": {"n": {"aggregate": {"count": 2}}}}}
            assert json.loads(await (await anext(batches)).take()) == {"data": {"shop": {"article_local_stream": [{"id": 2}]}}}
            await own_shop.pool.execute("INSERT INTO article_local (author_id) VALUES (1), (2)")
            assert json.loads(await (await anext(counts)).take()) == {"data": {"s": {"n": {"aggregate": {"count": 3}}}}}
            assert json.loads(await (await anext(batches)).take()) == {"data": {"shop": {"article_local_stream": [{"id": 4}]}}}
        async with aclosing(queries.follow(typename)) as names:
            assert json.loads(await (await anext(names)).take()) == {"data": {"shop": {"__typename": "shop_subscription"}}}


@pytest.mark.parametrize(
    "query", ["subscription { __typename }", "subscription { ...F } fragment F on subscription_root { t: __typename }"]
)
async def test_the_name_of_the_root_is_not_followed(shop: Library, query: str) -> None:
    with pytest.raises(GraphQLRefusal) as refused:
        await shop.engine.live_query(Request(query), USER)
    assert (refused.value.code, refused.value.path) == ("not-supported", "$")
    assert refused.value.message == "Introspection at root field level is not supported over subscriptions"


@pytest.mark.parametrize(
    "query",
    [
        "subscription { a: shop { article_local { id } } b: shop { article_local { id } } }",
        "subscription { shop { article_local @skip(if: true) { id } } }",
    ],
)
async def test_a_subscription_has_one_root_field(shop: Library, query: str) -> None:
    with pytest.raises(Exception, match="subscriptions must select one top level field"):
        await shop.engine.live_query(Request(query), USER)


async def test_fields_of_one_namespace_are_followed_together(own_shop: Library) -> None:
    several = "subscription { shop { t: __typename article_local { id } n: article_local_aggregate { aggregate { count } } } }"
    async with open_hub() as hub, asyncio.timeout(20):
        queries = LiveQueries(Unshared(own_shop.database), hub.follow, look_every=0.1)
        live = await own_shop.engine.live_query(Request(several), USER)
        stream = await own_shop.engine.live_query(Request(f"subscription {{ shop {{ t: __typename b: {BATCH} }} }}"), USER)
        assert live is not None and stream is not None
        async with aclosing(queries.follow(live)) as answers, aclosing(queries.follow(stream)) as batches:
            seen = {"t": "shop_subscription", "article_local": [{"id": 1}, {"id": 2}], "n": {"aggregate": {"count": 2}}}
            assert json.loads(await (await anext(answers)).take()) == {"data": {"shop": seen}}
            assert json.loads(await (await anext(batches)).take()) == {"data": {"shop": {"t": "shop_subscription", "b": [{"id": 2}]}}}
            await own_shop.pool.execute("INSERT INTO article_local (author_id) VALUES (1), (2)")
            seen |= {"article_local": [{"id": 1}, {"id": 2}, {"id": 4}], "n": {"aggregate": {"count": 3}}}
            assert json.loads(await (await anext(answers)).take()) == {"data": {"shop": seen}}
            assert json.loads(await (await anext(batches)).take()) == {"data": {"shop": {"t": "shop_subscription", "b": [{"id": 4}]}}}


async def test_several_fields_of_the_document_are_followed_by_hasuras_directive(own_shop: Library) -> None:
    """It is made for Hasura's own tests, and says so itself."""
    several = "subscription @_multiple_top_level_fields { a: shop { article_local { id } } b: shop { n: article_local(limit: 1) { id } } }"
    live = await own_shop.engine.live_query(Request(several), USER)
    assert live is not None
    async with open_hub() as hub, asyncio.timeout(20):
        queries = LiveQueries(Unshared(own_shop.database), hub.follow, look_every=0.1)
        async with aclosing(queries.follow(live)) as answers:
            seen = {"a": {"article_local": [{"id": 1}, {"id": 2}]}, "b": {"n": [{"id": 1}]}}
            assert json.loads(await (await anext(answers)).take()) == {"data": seen}
    with pytest.raises(GraphQLRefusal, match="Introspection at root field level is not supported over subscriptions"):
        await own_shop.engine.live_query(Request(several.replace("b: shop", "__typename b: shop")), USER)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (f"a: {BATCH} b: {BATCH}", "exactly one root field is allowed for streaming subscriptions"),
        (
            f"a: {BATCH} b: {BATCH} c: article_local {{ id }}",
            "streaming and livequery subscriptions cannot be executed in the same subscription",
        ),
    ],
)
async def test_a_stream_is_followed_alone(shop: Library, fields: str, message: str) -> None:
    with pytest.raises(GraphQLRefusal) as refused:
        await shop.engine.live_query(Request(f"subscription {{ shop {{ {fields} }} }}"), USER)
    assert (refused.value.code, refused.value.message) == ("not-supported", message)


async def test_limits_hold_inside(shop: Library) -> None:
    engine = Engine.build(
        shop.resolved.catalog,
        shop.resolved.roles,
        Unshared(shop.database),
        limits=Limits(cost=40),
        api_limits=ApiLimits(depth=ApiLimit(2), nodes=ApiLimit(3)),
    )
    opened = Library(engine, shop.database, shop.resolved, shop.pool)
    assert "errors" not in await opened.ask("{ shop { article_local { id } } }", session=USER)
    deep = "{ shop { article_local_aggregate { aggregate { count } } } }"
    assert error_in(await opened.ask(deep, session=USER), deep)["extensions"]["code"] == "depth-limit-exceeded"
    many = "{ shop { a: article_local { id } b: article_local { id } c: article_local { id } } }"
    assert error_in(await opened.ask(many, session=USER), many)["extensions"]["code"] == "node-limit-exceeded"
    dear = "{ shop { " + " ".join(f"a{n}: article_local {{ id }}" for n in range(20)) + " } }"
    assert "costs more than 40" in error_in(await opened.ask(dear), dear)["message"]


async def test_functions_stand_inside_too(databases: Databases, tmp_path: Path) -> None:
    given = posts_metadata()
    given["sources"][0]["customization"] = PLAIN
    (tmp_path / "metadata.json").write_text(json.dumps(given))
    with databases.temporary() as url:
        connection = await asyncpg.connect(url)
        await connection.execute(POSTS)
        await connection.close()
        async with library(url, tmp_path / "metadata.json") as posts:
            assert posts.resolved.problems == ()
            read = '{ shop { search_articles(args: {search: "2"}) { title } my_add(args: {first: 1}) { result } } }'
            assert (await posts.ask(read, session=USER))["data"] == {
                "shop": {"search_articles": [{"title": "Article 2"}], "my_add": [{"result": 11}]}
            }
            # A volatile one that is exposed as a query runs in a transaction with what is read beside it.
            counted = "{ a: shop { counted { id } } b: shop { author { id } __typename } }"
            assert (await posts.ask(counted, session=USER))["data"] == {
                "a": {"counted": [{"id": 1}, {"id": 2}]},
                "b": {"author": [{"id": 1}], "__typename": "shop_query"},
            }
            assert await posts.value("SELECT count(*) FROM calls") == 1
            write = 'mutation { shop { add_to_score(args: {search: "Dora"}) { points } refuse { points } } }'
            assert error_in(await posts.ask(write, session=USER), write)["extensions"]["code"] == "permission-error"
            assert await posts.value("SELECT array_agg(points ORDER BY id) FROM score") == [0, 10, 50]
            hidden = "mutation { shop { add_to_score_by_id(args: {id: 1}) { points } } }"
            anonymous = Session("anonymous", {})
            assert "not found in type" in error_in(await posts.ask(hidden, session=anonymous), hidden)["message"]
