"""Paths of labels: PostgreSQL's extension ltree, which the wheel of the tests' server does not have and Debian's package has.

Hasura: `queries/graphql_query/boolexp/ltree`.
"""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import pytest

from devstack.postgres import EmbeddedPostgres
from permissions.session import Session
from tests.engine.debian import debian_server
from tests.engine.library import Library, library
from tests.support.refusals import error_in

pytestmark = pytest.mark.anyio

SQL = """
CREATE EXTENSION ltree;
CREATE TABLE tree (id int PRIMARY KEY, path ltree, name text NOT NULL DEFAULT '');
INSERT INTO tree VALUES
    (1, 'Tree'), (2, 'Tree.Hobbies'), (3, 'Tree.Collections'), (4, 'Tree.Collections.Pictures'),
    (5, 'Tree.Collections.Pictures.Astronomy'), (6, NULL);
"""
BRANCH = Session("reader", {"x-hasura-branch": "Tree.Collections"})


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    with debian_server(tmp_path_factory.mktemp("debian")) as server:
        yield server


@pytest.fixture(scope="module")
async def trees(server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Library]:
    server.create_database("trees")
    url = server.database_url("trees")
    connection = await asyncpg.connect(url)
    await connection.execute(SQL)
    await connection.close()
    file = tmp_path_factory.mktemp("trees") / "metadata.json"
    may = {"columns": "*", "filter": {"path": {"_descendant": "X-Hasura-Branch"}}}
    table = {"table": "tree", "select_permissions": [{"role": "reader", "permission": may}]}
    file.write_text(json.dumps({"version": 3, "sources": [{"name": "default", "kind": "postgres", "tables": [table]}]}))
    async with library(url, file) as trees:
        assert trees.resolved.problems == ()
        yield trees


async def found(trees: Library, condition: str, variables: dict[str, Any] | None = None, session: Session | None = None) -> list[int]:
    head = f"query ({', '.join(f'${name}: {type_}' for name, type_ in (variables or {}).get('types', {}).items())}) " if variables else ""
    query = f"{head}{{ tree(where: {{path: {condition}}}, order_by: {{id: asc}}) {{ id }} }}"
    answer = await trees.ask(query, (variables or {}).get("values"), session=session)
    return [row["id"] for row in answer["data"]["tree"]]


@pytest.mark.parametrize(
    ("condition", "ids"),
    [
        ('{_ancestor: "Tree.Collections.Pictures"}', [1, 3, 4]),
        ('{_ancestor_any: ["Tree.Hobbies", "Tree.Collections"]}', [1, 2, 3]),
        ("{_ancestor_any: []}", []),
        ('{_descendant: "Tree.Collections"}', [3, 4, 5]),
        ('{_descendant_any: ["Tree.Hobbies", "Tree.Collections.Pictures"]}', [2, 4, 5]),
        ('{_matches: "*.Pictures.*"}', [4, 5]),
        ('{_matches: "Tree.*{1}"}', [2, 3]),
        ('{_matches_any: ["*.Pictures.*", "*.Hobbies.*"]}', [2, 4, 5]),
        ('{_matches_fulltext: "Astro* & !Hobbies"}', [5]),
        ('{_eq: "Tree.Hobbies"}', [2]),
        ('{_gt: "Tree.Collections"}', [2, 4, 5]),
        ('{_in: ["Tree", "Tree.Hobbies"]}', [1, 2]),
        ("{_is_null: true}", [6]),
        ('{_descendant: "Tree.Collections", _matches: "*.Pictures"}', [4]),
    ],
)
async def test_rows_by_their_path(trees: Library, condition: str, ids: list[int]) -> None:
    assert await found(trees, condition) == ids


async def test_paths_by_variables(trees: Library) -> None:
    given = {"types": {"path": "ltree!", "pattern": "lquery!"}, "values": {"path": "Tree.Collections", "pattern": "*.Astronomy"}}
    assert await found(trees, "{_descendant: $path, _matches: $pattern}", given) == [5]


async def test_a_rule_by_a_path_of_the_session(trees: Library) -> None:
    assert await found(trees, "{_is_null: false}", session=BRANCH) == [3, 4, 5]
    assert await found(trees, '{_ancestor: "Tree.Hobbies"}', session=BRANCH) == [], "hidden rows are no answer"
    refused = await trees.ask("{ tree { id } }", session=Session("reader", {}))
    assert error_in(refused, "a session without the branch")["extensions"]["code"] == "not-found"


@pytest.mark.parametrize("condition", ['{_ancestor: "not a path!"}', '{_matches: "*{"}', '{_matches_fulltext: "&"}'])
async def test_what_is_no_path_is_refused(trees: Library, condition: str) -> None:
    answer = await trees.ask(f"{{ tree(where: {{path: {condition}}}) {{ id }} }}")
    assert error_in(answer, condition)["extensions"]["code"] == "data-exception"


@pytest.mark.parametrize(
    ("condition", "place"),
    [
        ('{_ancestor: "Tree.Collections."}', "_ancestor"),
        ('{_eq: ""}', "_eq"),
        ('{_ancestor_any: ["Tree", "Tree..Hobbies"]}', "_ancestor_any[1]"),
        ("{_descendant: 1}", "_descendant"),
    ],
)
async def test_labels_between_dots(trees: Library, condition: str, place: str) -> None:
    """Hasura looks for labels itself, and PostgreSQL at what they are made of."""
    error = error_in(await trees.ask(f"{{ tree(where: {{path: {condition}}}) {{ id }} }}"), condition)
    assert error["extensions"] == {"code": "parse-failed", "path": f"$.selectionSet.tree.args.where.path.{place}"}
    assert error["message"] == "Expecting label path: a sequence of zero or more labels separated by dots, for example L1.L2.L3"
    written = 'mutation { insert_tree_one(object: {id: 8, path: ".Tree"}) { id } }'
    place = "$.selectionSet.insert_tree_one.args.object.path"
    assert error_in(await trees.ask(written), written)["extensions"] == {"code": "parse-failed", "path": place}
    assert await trees.value("SELECT count(*) FROM tree") == 6


async def test_a_path_is_written_and_told_as_text(trees: Library) -> None:
    written = await trees.ask('mutation { insert_tree_one(object: {id: 7, path: "Tree.Written"}) { path } }')
    assert written == {"data": {"insert_tree_one": {"path": "Tree.Written"}}}
    assert await trees.value("SELECT nlevel(path) FROM tree WHERE id = 7") == 2
    await trees.ask("mutation { delete_tree_by_pk(id: 7) { id } }")
