"""Functions of operators that count: how often one that isn't leakproof was called with a hidden row's value, and how often with others.

Operators and their estimates stay PostgreSQL's own; only the function behind each is wrapped, in the catalogs of a database that is
dropped afterwards. A value with the mark in its text is a hidden row's.
"""

from collections.abc import Sequence

import asyncpg

MARK = "13"

_COUNTERS = f"""
CREATE SCHEMA counted;
CREATE SEQUENCE counted.hidden;
CREATE SEQUENCE counted.visible;
CREATE FUNCTION counted.note(given text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM nextval(CASE WHEN strpos(given, '{MARK}') > 0 THEN 'counted.hidden' ELSE 'counted.visible' END);
END $$;
"""

# The functions of these operators, and those that sort.
_FUNCTIONS = r"""
SELECT p.oid::int, p.proname AS name, p.prorettype::regtype::text AS returns,
  p.proargtypes[0]::regtype::text AS left, p.proargtypes[1]::regtype::text AS right
FROM pg_proc p
WHERE NOT p.proleakproof AND p.pronamespace = 'pg_catalog'::regnamespace AND (
  p.oid IN (SELECT oprcode FROM pg_operator WHERE oprname = ANY ($1) AND oprleft = ANY ($2::regtype[]) AND oprright = ANY ($2::regtype[]))
  -- A sort doesn't say which enum or array it compares, as PL/pgSQL would have to know.
  OR p.prorettype = 'int4'::regtype AND p.proargtypes[0] NOT IN ('anyenum'::regtype, 'anyarray'::regtype)
    AND p.oid IN (SELECT amproc FROM pg_amproc WHERE amprocnum = 1 AND amproclefttype = ANY ($2::regtype[]) AND amprocfamily IN (
      SELECT f.oid FROM pg_opfamily f JOIN pg_am m ON m.oid = f.opfmethod WHERE m.amname = 'btree')))
"""
_OPERATORS = ["=", "<>", "<", "<=", ">", ">=", "~~", "!~~", "~~*", "!~~*", "~", "!~", "~*", "!~*", "@>", "<@", "?", "?|", "?&", "@?", "@@"]
# An abbreviated key would go around the comparison.
_SORT_BY_COMPARING = """
DELETE FROM pg_amproc WHERE amprocnum = 2 AND amproclefttype = ANY ($1::regtype[]) AND amprocfamily IN (
  SELECT f.oid FROM pg_opfamily f JOIN pg_am m ON m.oid = f.opfmethod WHERE m.amname = 'btree')
"""


async def count_calls(connection: asyncpg.Connection, types: Sequence[str]) -> None:
    """Wraps every function behind an operator over these types that isn't leakproof."""
    await connection.execute(_COUNTERS)
    for function in await connection.fetch(_FUNCTIONS, _OPERATORS, types):
        wrapper = f"counted.f{function['oid']}"
        await connection.execute(
            f"CREATE FUNCTION {wrapper}(l {function['left']}, r {function['right']}) RETURNS {function['returns']} "
            f"LANGUAGE plpgsql IMMUTABLE STRICT AS $$ BEGIN PERFORM counted.note(concat(l, ' ', r)); "
            f"RETURN pg_catalog.{function['name']}(l, r); END $$"
        )
        for catalog, column in (("pg_operator", "oprcode"), ("pg_amproc", "amproc")):
            await connection.execute(f"UPDATE {catalog} SET {column} = '{wrapper}'::regproc WHERE {column} = {function['oid']}")
    await connection.execute(_SORT_BY_COMPARING, types)


async def calls(connection: asyncpg.Connection) -> tuple[int, int]:
    """Calls with a hidden row's value, and with others, since the last time."""
    hidden, visible = [await connection.fetchval(f"SELECT nextval('counted.{name}') - 1") for name in ("hidden", "visible")]
    await connection.execute("ALTER SEQUENCE counted.hidden RESTART; ALTER SEQUENCE counted.visible RESTART")
    return hidden, visible
