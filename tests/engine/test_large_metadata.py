"""Foreign metadata of many tables and roles: what roles see alike is made once, and nothing of a role waits for its first request."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from graphql import GraphQLSchema, build_schema, get_introspection_query, print_schema, validate_schema

from app.service import open_service
from app.settings import load_settings
from app.telemetry.moments import unobserved
from bench.large_metadata.files import sql, write_metadata
from bench.large_metadata.model import ROLES, made_up
from permissions.session import Session
from resolvers.documents.request import Request
from resolvers.hand_written.action_fields import ActionFields
from resolvers.roles.role_views import RoleViews
from resolvers.roles.whole_schema import whole_schema
from tests.engine.library import Library, library
from tests.support.databases import Databases

pytestmark = pytest.mark.anyio

PRODUCT = made_up(40, seed=1)
LAZY = ("fields", "values")


@pytest.fixture(scope="module")
async def large(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[str, Path, Library]]:
    metadata = tmp_path_factory.mktemp("large") / "metadata"
    write_metadata(PRODUCT, metadata)
    with databases.temporary() as url:
        connection = await asyncpg.connect(url)
        await connection.execute(sql(PRODUCT))
        await connection.close()
        async with library(url, metadata) as opened:
            yield url, metadata, opened


def schemas(large: Library, role: str) -> tuple[GraphQLSchema, GraphQLSchema]:
    """The role's and the whole one, which nobody has looked at."""
    whole = whole_schema(large.resolved.catalog, ActionFields())
    return RoleViews(large.resolved.catalog, large.resolved.roles, whole).of(Session(role)).schema._schema, whole._schema


def test_the_same_seed_makes_the_same_product(tmp_path: Path) -> None:
    for place in ("a", "b"):
        write_metadata(made_up(12, seed=3), tmp_path / place)
    files = [{path.relative_to(tmp_path / place): path.read_text() for path in (tmp_path / place).rglob("*.yaml")} for place in "ab"]
    assert files[0] == files[1]
    assert len(files[0]) == 16
    assert sql(made_up(12, seed=3)) != sql(made_up(12, seed=4))


async def test_all_of_it_is_served(large: tuple[str, Path, Library]) -> None:
    resolved = large[2].resolved
    assert resolved.problems == ()
    assert set(resolved.roles) == {*ROLES, "admin"}
    assert len(resolved.catalog.tables) == 40
    assert sum(len(table.relationships) for table in resolved.catalog) >= 3 * 40
    assert any(table.computed_fields for table in resolved.catalog)
    assert any(column.type.enum_table for table in resolved.catalog for column in table.columns.values())


@pytest.mark.parametrize("role", ["admin", *ROLES, "nobody"])
async def test_what_a_role_sees_as_it_is_is_made_once(role: str, large: tuple[str, Path, Library]) -> None:
    own, whole = schemas(large[2], role)
    shared = {name for name, type_ in own.type_map.items() if type_ is whole.type_map[name]}
    copied = own.type_map.keys() - shared
    # Whatever is left of it is no more than what is written down about a type without its members.
    assert {name for name in copied if any(part in vars(own.type_map[name]) for part in LAZY)} == set()
    if role == "admin":
        assert copied == {"query_root"}
    scalars = {name for name in own.type_map if name.endswith("_comparison_exp") or name[0].isupper()}
    assert scalars <= shared
    assert not copied & {"order_by", "cursor_ordering", "uuid"}


@pytest.mark.parametrize("role", ["admin", *ROLES, "nobody"])
async def test_a_view_is_a_valid_schema_that_hides_what_the_rules_do_not_show(role: str, large: tuple[str, Path, Library]) -> None:
    own, _ = schemas(large[2], role)
    own._validation_errors = None
    assert validate_schema(own) == []
    # Nothing refers to a type that is not in it, and nothing is in it that nobody refers to.
    assert print_schema(build_schema(print_schema(own))) == print_schema(own)
    reached = GraphQLSchema(own.query_type, own.mutation_type, own.subscription_type, directives=own.directives).type_map
    assert reached.keys() == own.type_map.keys()
    rules: Any = large[2].resolved.rules(role)
    for table in large[2].resolved.catalog:
        row = own.type_map.get(table.graphql_name)
        seen = set() if row is None else set(row.fields) & {column.graphql_name for column in table.columns.values()}  # type: ignore[attr-defined]
        granted = rules.select[table.name].columns if table.name in rules.select else frozenset()
        assert seen == {table.columns[column].graphql_name for column in granted}, (role, table.name)


async def test_the_whole_schema_is_valid(large: tuple[str, Path, Library]) -> None:
    _, whole = schemas(large[2], "admin")
    types = [type_ for name, type_ in whole.type_map.items() if not name.startswith("__")]
    assert validate_schema(GraphQLSchema(whole.query_type, whole.mutation_type, whole.subscription_type, types)) == []


async def test_a_service_is_ready_when_every_role_has_its_view(large: tuple[str, Path, Library], monkeypatch: pytest.MonkeyPatch) -> None:
    """At the start, and again after a reload: no request waits for one."""
    url, metadata, _ = large
    made: list[tuple[str, bool]] = []
    derive = RoleViews._derive

    def counted(self: RoleViews, key: Any) -> Any:
        made.append(key)
        return derive(self, key)

    monkeypatch.setattr(RoleViews, "_derive", counted)
    settings = load_settings(database_url=url, admin_secret="a secret of the test, of no use elsewhere")
    async with open_service(settings, metadata, unobserved) as service:
        for _ in range(2):
            assert sorted(made) == sorted((role, False) for role in ("", "admin", *ROLES))
            for role in (*ROLES, "nobody"):
                answer = await service.engine.execute(Request(get_introspection_query()), Session(role))
                assert b'"errors"' not in answer.body
            assert len(made) == len(ROLES) + 2
            made.clear()
            assert service.reload is not None
            await service.reload()
