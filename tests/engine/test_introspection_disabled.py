"""Roles of `disabled_for_roles` are not told their schema; everything else they may ask as before."""

import json
from pathlib import Path

import asyncpg
import pytest

from permissions.session import Session
from tests.engine.authors import SQL, metadata
from tests.engine.library import library
from tests.support.databases import Databases
from tests.support.refusals import error_in

SECOND = {"x-hasura-user-id": "2"}


@pytest.mark.anyio
async def test_who_is_not_told(databases: Databases, tmp_path: Path) -> None:
    file = tmp_path / "metadata.json"
    file.write_text(json.dumps(metadata({}) | {"graphql_schema_introspection": {"disabled_for_roles": ["user", "nobody"]}}))
    with databases.temporary() as url:
        connection = await asyncpg.connect(url)
        await connection.execute(SQL)
        await connection.close()
        async with library(url, file) as opened:
            assert [problem.sentence for problem in opened.resolved.problems] == ["No permission names the role nobody."]
            for role in ("user", "nobody"):
                for asked in ("{ __schema { types { name } } }", '{ __type(name: "article_local") { name } __typename }'):
                    refused = error_in(await opened.ask(asked, session=Session(role, SECOND)), asked)
                    assert refused["message"] == f'introspection is disabled for role: "{role}"'
                    assert refused["extensions"] == {"path": "$", "code": "not-supported"}
            rows = await opened.ask("{ article_local { id __typename } }", session=Session("user", SECOND))
            assert rows == {"data": {"article_local": [{"id": 3, "__typename": "article_local"}]}}
            told = await opened.ask('{ __type(name: "article_local") { name } }')
            assert told == {"data": {"__type": {"name": "article_local"}}}
