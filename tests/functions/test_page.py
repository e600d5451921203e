"""What docs/metadata.md says of functions, as it stands on the page; and who gets nothing by them."""

import json
import re
from pathlib import Path

import asyncpg
import pytest

from permissions.session import Session
from tests.engine.library import library
from tests.support.databases import Databases
from tests.support.refusals import code_in

PAGE = Path(__file__).parents[2] / "docs" / "metadata.md"


def fence(language: str) -> str:
    """The one block of that language in the page's section."""
    section = PAGE.read_text().partition("\n## Functions\n")[2].partition("\n## ")[0]
    (found,) = re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)
    return str(found)


@pytest.mark.anyio
async def test_the_page(databases: Databases, tmp_path: Path) -> None:
    file = tmp_path / "metadata.yaml"
    file.write_text(fence("yaml"))
    asked = fence("gql")
    with databases.temporary() as url:
        connection = await asyncpg.connect(url)
        await connection.execute(fence("sql"))
        await connection.close()
        async with library(url, file) as opened:
            assert opened.resolved.problems == ()
            assert await opened.ask(asked, session=Session("user", {"x-hasura-user-id": "ann"})) == json.loads(fence("json"))
            others = await opened.ask(asked, session=Session("user", {"x-hasura-user-id": "bob"}))
            assert others == {"data": {"search_posts": [], "search_posts_aggregate": {"aggregate": {"count": 1}}}}
            stranger = await opened.ask(asked, session=Session("stranger", {"x-hasura-user-id": "ann"}))
            assert code_in(stranger, asked) == "validation-failed"
