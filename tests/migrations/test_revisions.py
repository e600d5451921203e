"""Every revision goes up and down, and the models say the same as the database."""

import ast
import asyncio
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.queries import Queries

import migrations
from schema.tables import metadata

ROOT = Path(migrations.__file__).parents[1]
SCRIPTS = ScriptDirectory(str(Path(migrations.__file__).parent))
REVISIONS = [script.revision for script in reversed(list(SCRIPTS.walk_revisions()))]

# What came before ran nowhere else.
WITHOUT_RELEASE_BEFORE = "0030"

EVERYTHING = """
    SELECT 'table ' || relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v', 'S')
    UNION ALL SELECT 'type ' || typname FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typtype = 'e'
    UNION ALL SELECT 'function ' || proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
"""


async def everything(url: str) -> set[str]:
    connection = await asyncpg.connect(url)
    try:
        return {row[0] for row in await connection.fetch(EVERYTHING)}
    finally:
        await connection.close()


def test_the_models_say_what_the_migrations_make(database_url: str) -> None:
    command.check(migrations.configuration(database_url))


def test_nothing_is_taken_away_from_the_release_before() -> None:
    """Its processes go on serving until they are replaced (docs/operations.md)."""
    takes = {"drop_column", "drop_table", "alter_column", "rename_table"}
    for script in SCRIPTS.walk_revisions():
        (upgrade,) = (
            one for one in ast.parse(Path(script.path).read_text()).body if isinstance(one, ast.FunctionDef) and one.name == "upgrade"
        )
        called = {one.attr for one in ast.walk(upgrade) if isinstance(one, ast.Attribute)}
        if script.revision > WITHOUT_RELEASE_BEFORE:
            assert not takes & called, script.path


@pytest.mark.anyio
async def test_checks_are_named_as_in_the_models(database_url: str) -> None:
    """alembic compares no CHECK, and clients read these names in errors."""
    connection = await asyncpg.connect(database_url)
    found = await connection.fetch("SELECT conname FROM pg_constraint WHERE contype = 'c' AND conname LIKE 'nchat%'")
    await connection.close()
    expected = {str(check.name) for table in metadata.sorted_tables for check in checks_of(table)}
    assert {row["conname"] for row in found} == expected


def checks_of(table: sa.Table) -> list[sa.CheckConstraint]:
    return [constraint for constraint in table.constraints if isinstance(constraint, sa.CheckConstraint)]


def test_every_single_step_goes_up_down_and_up_again(empty_database_url: str) -> None:
    """Up again together with the next one: each command reads all revisions anew, which takes as long as a step."""
    for revision in REVISIONS:
        migrations.upgrade(empty_database_url, revision)
        migrations.downgrade(empty_database_url, "-1")
    migrations.upgrade(empty_database_url, REVISIONS[-1])
    assert REVISIONS[-1] == migrations.head()


def test_the_whole_is_repeatable_and_down_leaves_nothing(empty_database_url: str) -> None:
    for _ in range(2):
        migrations.upgrade(empty_database_url)
        migrations.upgrade(empty_database_url)
        assert len(asyncio.run(everything(empty_database_url))) > 30
        migrations.downgrade(empty_database_url)
        assert asyncio.run(everything(empty_database_url)) == {"table alembic_version"}


def test_processes_that_migrate_at_once_take_turns(empty_database_url: str) -> None:
    command_line = [sys.executable, "-c", "import sys, migrations; migrations.upgrade(sys.argv[1])", empty_database_url]
    processes = [subprocess.Popen(command_line, cwd=ROOT) for _ in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]


def test_threads_that_migrate_at_once_take_turns(empty_database_url: str) -> None:
    with ThreadPoolExecutor(3) as threads:
        for done in [threads.submit(migrations.upgrade, empty_database_url) for _ in range(3)]:
            done.result()


@pytest.mark.parametrize("revision", REVISIONS)
def test_no_revision_waits_long_for_a_lock(revision: str) -> None:
    script = SCRIPTS.get_revision(revision)
    assert script is not None
    functions = {node.name: node for node in ast.parse(Path(script.path).read_text()).body if isinstance(node, ast.FunctionDef)}
    for name in ("upgrade", "downgrade"):
        assert ast.unparse(functions[name].body[0]) == "limit_lock_wait()"


@pytest.mark.anyio
async def test_the_job_queue_is_what_the_installed_pgqueuer_declares(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        plan = await Queries(AsyncpgDriver(connection)).plan_upgrade()
    finally:
        await connection.close()
    assert not plan.statements
