"""Reflection of whatever a database may hold."""

import asyncio

import asyncpg
import sqlalchemy as sa

from app.database.reflection import Reflected, reflect
from schema.model import PgType, TableName
from schema.pg_functions import PgArgument, PgFunction
from schema.sql_types import pg_type

TABLES = """
CREATE SCHEMA shop;
CREATE DOMAIN positive AS int CHECK (value > 0);
CREATE DOMAIN very_positive AS positive CHECK (value > 9);
CREATE TYPE mood AS ENUM ('calm', 'glad');
CREATE TYPE shop.size AS ENUM ('s', 'l');
CREATE TABLE shop.item (
  id bigint GENERATED ALWAYS AS IDENTITY, region text, PRIMARY KEY (region, id),
  amount very_positive NOT NULL, amounts positive[], mood mood, sizes shop.size[], code char(3), label varchar(9), at timestamptz(3),
  price numeric(8, 2), doubled int GENERATED ALWAYS AS (2 * 2) STORED, gone int, UNIQUE (label, code)
);
ALTER TABLE shop.item DROP COLUMN gone;
COMMENT ON TABLE shop.item IS 'for sale';
COMMENT ON COLUMN shop.item.amount IS 'pieces';
CREATE TABLE sale (
  id uuid PRIMARY KEY, item_region text, item_id bigint, late_id uuid,
  CONSTRAINT sale_item FOREIGN KEY (item_id, item_region) REFERENCES shop.item (id, region),
  CONSTRAINT sale_late FOREIGN KEY (late_id) REFERENCES sale DEFERRABLE INITIALLY DEFERRED
);
CREATE VIEW cheap AS SELECT id, price FROM shop.item WHERE price < 1;
CREATE VIEW total AS SELECT sum(price) AS sum FROM shop.item;
CREATE MATERIALIZED VIEW stored AS SELECT 1 AS one;
CREATE FUNCTION tag(item shop.item, session json) RETURNS text LANGUAGE sql STABLE RETURN item.label;
CREATE FUNCTION bare(int, OUT x mood) LANGUAGE sql AS 'SELECT NULL::mood';
CREATE FUNCTION all_items() RETURNS SETOF shop.item LANGUAGE sql AS 'SELECT * FROM shop.item';
"""


def reflected(url: str) -> Reflected:
    async def run() -> Reflected:
        connection = await asyncpg.connect(url)
        await connection.execute(TABLES)
        await connection.close()
        return await reflect(url)

    return asyncio.run(run())


def test_columns_have_the_types_that_hasura_names(empty_database_url: str) -> None:
    item = reflected(empty_database_url).metadata.tables["shop.item"]
    assert {column.name: pg_type(column.type) for column in item.columns} == {
        "id": PgType("int8"),
        "region": PgType("text"),
        "amount": PgType("int4"),
        "amounts": PgType("int4", is_array=True),
        "mood": PgType("mood", is_enum=True, labels=("calm", "glad")),
        "sizes": PgType("size", is_array=True, is_enum=True, schema="shop", labels=("s", "l")),
        "code": PgType("bpchar"),
        "label": PgType("varchar"),
        "at": PgType("timestamptz"),
        "price": PgType("numeric"),
        "doubled": PgType("int4"),
    }
    assert pg_type(item.c.sizes.type).sql == '"shop"."size"[]'
    assert item.c.doubled.computed is not None and item.c.id.identity is not None
    assert (item.comment, item.c.amount.comment) == ("for sale", "pieces")
    assert (item.c.amount.nullable, item.c.mood.nullable) == (False, True)


def test_keys_keep_their_order_and_say_whether_they_can_be_trusted(empty_database_url: str) -> None:
    tables = reflected(empty_database_url).metadata.tables
    assert [column.name for column in tables["shop.item"].primary_key] == ["region", "id"]
    unique = [key for key in tables["shop.item"].constraints if isinstance(key, sa.UniqueConstraint)]
    assert [[column.name for column in key.columns] for key in unique] == [["label", "code"]]
    keys = {str(key.name): key for key in tables["public.sale"].foreign_key_constraints}
    assert [(key.parent.name, key.column.name) for key in keys["sale_item"].elements] == [("item_id", "id"), ("item_region", "region")]
    assert {name: key.info["trusted"] for name, key in keys.items()} == {"sale_item": True, "sale_late": False}


def test_views_say_whether_they_can_be_written(empty_database_url: str) -> None:
    tables = reflected(empty_database_url).metadata.tables
    assert {name: table.info["writes"] for name, table in tables.items()} == {
        "public.cheap": {"insert", "update", "delete"},
        "public.sale": {"insert", "update", "delete"},
        "public.stored": set(),
        "public.total": set(),
        "shop.item": {"insert", "update", "delete"},
    }


def test_functions_have_their_input_arguments_and_results(empty_database_url: str) -> None:
    functions = {function.name.name: function for function in reflected(empty_database_url).functions}
    item, json = TableName("shop", "item"), TableName("pg_catalog", "json")
    assert functions["tag"] == PgFunction(
        TableName("public", "tag"),
        (PgArgument("item", item, PgType("item", schema="shop"), takes_row=True), PgArgument("session", json, PgType("json"))),
        PgType("text"),
    )
    bare = functions["bare"]
    assert bare.arguments == (PgArgument(None, TableName("pg_catalog", "int4"), PgType("int4")),)
    assert bare.volatile and bare.returns.name == "mood"
    assert functions["all_items"].returns_set and functions["all_items"].returns_row


SHADOWS = """
CREATE SCHEMA shop;
CREATE DOMAIN plain AS text;
CREATE DOMAIN odd AS text;
CREATE TYPE mood AS ENUM ('calm', 'glad');
CREATE FUNCTION same(odd, text) RETURNS boolean LANGUAGE sql RETURN true;
CREATE OPERATOR public.= (leftarg = odd, rightarg = text, function = same);
CREATE FUNCTION alike(varchar, varchar) RETURNS boolean LANGUAGE sql RETURN true;
CREATE OPERATOR public.< (leftarg = varchar, rightarg = varchar, function = alike);
CREATE FUNCTION shop.equal(int8, int8) RETURNS boolean LANGUAGE sql RETURN true;
CREATE OPERATOR shop.= (leftarg = int8, rightarg = int8, function = shop.equal);
CREATE TABLE item (
  a text, b plain, c odd, d varchar(9), e int8, f int4, g numeric, h mood, i jsonb, j text[], k timestamptz, l uuid, m xml,
  n char(2), o json
);
"""


def leakproof(url: str, search_path: str) -> dict[str, tuple[set[str], bool]]:
    """By column: what may be compared with a value of its own type, and whether it may be sorted."""

    async def run() -> Reflected:
        connection = await asyncpg.connect(url)
        await connection.execute(SHADOWS)
        await connection.execute(f"ALTER DATABASE {url.rsplit('/', 1)[-1]} SET search_path = {search_path}")
        await connection.close()
        return await reflect(url)

    columns = asyncio.run(run()).metadata.tables["public.item"].columns
    found = {column.name: (column.info["leakproof"], pg_type(column.type)) for column in columns}
    return {name: ({sql for sql, right in known.operators if right == type_}, known.sorting) for name, (known, type_) in found.items()}


def test_leakproof_is_what_the_operator_of_a_column_is(empty_database_url: str) -> None:
    found = leakproof(empty_database_url, "public")
    comparisons = {"=", "<>", "<", "<=", ">", ">="}
    leakproof_types = {name for name, (operators, sorting) in found.items() if operators >= comparisons and sorting}
    assert leakproof_types == {"a", "b", "e", "f", "k", "l", "n"}
    assert {name for name, (operators, _) in found.items() if operators & comparisons} == leakproof_types | {"c", "d"}
    # Operators of their own, which nobody has called leakproof.
    assert comparisons - found["c"][0] == {"="} and comparisons - found["d"][0] == {"<"}
    assert not any(operators & {"~", "~~", "~*", "?", "@>", "&&"} for operators, _ in found.values())


def test_an_operator_that_comes_first_on_the_search_path_is_the_operator(empty_database_url: str) -> None:
    found = leakproof(empty_database_url, "shop, pg_catalog, public")
    assert "=" not in found["e"][0] and "<" in found["e"][0] and "=" in found["f"][0]
