"""All rows of all tables, to show that a refused request changed nothing."""

import asyncpg

# Not the job queue's own tables, which hold nothing but its clock, nor what jobs remember of their last looks: at calls,
# at streams and their audience.
TABLES = """
    SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
    WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND tablename NOT LIKE 'pgqueuer%'
      AND tablename NOT IN ('nchat_call_looks', 'nchat_stream_health', 'nchat_stream_tallies') ORDER BY 1
"""


async def dump(database: "str | asyncpg.Connection") -> dict[str, list[str]]:
    """Each table's rows as text, ordered; equal before and after means that nothing was written.

    Through a connection of the test's own; through one of its own, which PostgreSQL has to tell of every table first, with an address.
    """
    if isinstance(database, str):
        connection = await asyncpg.connect(database)
        try:
            return await dump(connection)
        finally:
            await connection.close()
    async with database.transaction(isolation="repeatable_read", readonly=True):
        names = [row[0] for row in await database.fetch(TABLES)]
        # One statement: to have each table's prepared took three times as long.
        each = (f"SELECT {number}, t::text FROM {name} t" for number, name in enumerate(names))
        rows: dict[str, list[str]] = {name: [] for name in names}
        if names:
            for number, row in await database.fetch(f"{' UNION ALL '.join(each)} ORDER BY 1, 2"):
                rows[names[number]].append(row)
        return rows
