"""A table with a column of every kind of type: how each is declared, what PostgreSQL takes it for, and two of its values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

TYPES_SQL = """
CREATE TYPE mood AS ENUM ('calm', 'so so', 'it''s');
CREATE DOMAIN small AS int4 CHECK (VALUE < 100);
CREATE DOMAIN smaller AS small CHECK (VALUE < 50);
CREATE DOMAIN word AS text CHECK (VALUE <> '');
CREATE DOMAIN amount AS numeric(8, 2);
CREATE DOMAIN moment AS timestamptz;
CREATE DOMAIN doc AS jsonb;
CREATE DOMAIN humour AS mood;
CREATE DOMAIN ids AS int4[];
CREATE DOMAIN span AS int4range;
"""


@dataclass(frozen=True, slots=True)
class Typed:
    """`one` and `two` are values as JSON; `texts` are the same as PostgreSQL writes them, where that is something else."""

    declared: str
    one: Any
    two: Any
    base: str | None = None
    texts: tuple[str, str] | None = None

    @property
    def sql(self) -> str:
        """The type without domains and modifiers."""
        return self.base or self.declared

    def text(self, value: Any) -> str:
        if self.texts is not None:
            return self.texts[0] if value == self.one else self.texts[1]
        return str(value)


_BOTH = ("true", "false")
_DOCS = ('{"a": 1, "b": [2]}', '["a", "c"]')
_ONE, _TWO = "00000000-0000-4000-8000-000000000001", "f0000000-0000-4000-8000-000000000002"
TYPED = {
    "c_int2": Typed("int2", 7, -3),
    "c_int4": Typed("int4", 7, -3),
    "c_int8": Typed("int8", 9007199254740993, -3),
    "c_oid": Typed("oid", "7", "4000000000"),
    "c_float4": Typed("float4", 1.5, -2.25),
    "c_float8": Typed("float8", 1.5, -2.25),
    "c_numeric": Typed("numeric", 12.5, -3),
    "c_numeric_8_2": Typed("numeric(8, 2)", 12.5, -3, "numeric"),
    "c_money": Typed("money", "$12.50", "-$3.00"),
    "c_text": Typed("text", "apple", 'it\'s "plum"\\'),
    "c_varchar": Typed("varchar", "apple", "plum"),
    "c_varchar_9": Typed("varchar(9)", "apple", "plum", "varchar"),
    "c_char_7": Typed("char(7)", "apple", "plum", "bpchar"),
    "c_one_char": Typed('"char"', "a", "p"),
    "c_name": Typed("name", "apple", "plum"),
    "c_bool": Typed("bool", True, False, texts=_BOTH),
    "c_uuid": Typed("uuid", _ONE, _TWO),
    "c_date": Typed("date", "2024-02-29", "1999-12-31"),
    "c_time": Typed("time", "12:30:00", "01:02:03.004"),
    "c_time_3": Typed("time(3)", "12:30:00", "01:02:03.004", "time"),
    "c_timetz": Typed("timetz", "12:30:00+02", "01:02:03-05"),
    "c_timestamp": Typed("timestamp", "2024-02-29T12:30:00", "1999-12-31T23:59:59.5"),
    "c_timestamptz": Typed("timestamptz", "2024-02-29T12:30:00+01:00", "1999-12-31T23:59:59.5Z"),
    "c_interval": Typed("interval", "1 day", "-2 hours"),
    "c_json": Typed("json", {"a": 1}, ["a"], texts=('{"a": 1}', '["a"]')),
    "c_jsonb": Typed("jsonb", {"a": 1, "b": [2]}, ["a", "c"], texts=_DOCS),
    "c_bytea": Typed("bytea", "\\xdead", "\\x00"),
    "c_inet": Typed("inet", "10.0.0.1/8", "::1"),
    "c_cidr": Typed("cidr", "10.0.0.0/8", "::1/128"),
    "c_macaddr": Typed("macaddr", "08:00:2b:01:02:03", "ff:00:2b:01:02:03"),
    "c_macaddr8": Typed("macaddr8", "08:00:2b:01:02:03:04:05", "ff:00:2b:01:02:03:04:05"),
    "c_bit": Typed("bit(3)", "101", "010", 'pg_catalog."bit"'),
    "c_varbit": Typed("varbit", "101", "01"),
    "c_pg_lsn": Typed("pg_lsn", "0/16B3748", "A/1"),
    "c_tsvector": Typed("tsvector", "'a' 'b'", "'c'"),
    "c_point": Typed("point", "(1,2)", "(3,4)"),
    "c_range": Typed("int4range", "[1,5)", "[7,9)"),
    "c_numrange": Typed("numrange", "[1.5,5)", "(,9)"),
    "c_tstzrange": Typed("tstzrange", "[2024-01-01T00:00:00Z,2024-02-01T00:00:00Z)", "empty"),
    "c_multirange": Typed("int4multirange", "{[1,5),[7,9)}", "{}"),
    "c_mood": Typed("mood", "so so", "it's"),
    "c_int4s": Typed("int4[]", [1, 2], [3], texts=("{1,2}", "{3}")),
    "c_int8s": Typed("int8[]", [9007199254740993], [3], texts=("{9007199254740993}", "{3}")),
    "c_texts": Typed("text[]", ["a", 'say "x", \\ ok'], ["c"], texts=('{a,"say \\"x\\", \\\\ ok"}', "{c}")),
    "c_numerics": Typed("numeric(8, 2)[]", [1.5], [2, 3], "numeric[]", ("{1.5}", "{2,3}")),
    "c_bools": Typed("bool[]", [True], [False, False], texts=("{true}", "{false,false}")),
    "c_uuids": Typed("uuid[]", [_ONE], [], texts=(f"{{{_ONE}}}", "{}")),
    "c_moments": Typed("timestamptz[]", ["2024-01-01T00:00:00Z"], [], texts=("{2024-01-01T00:00:00Z}", "{}")),
    "c_docs": Typed("jsonb[]", [{"a": 1}], [[1]], texts=('{"{\\"a\\": 1}"}', '{"[1]"}')),
    "c_moods": Typed("mood[]", ["so so", "it's"], ["calm"], texts=('{"so so",it\'s}', "{calm}")),
    "c_ranges": Typed("int4range[]", ["[1,5)"], [], texts=('{"[1,5)"}', "{}")),
    "c_small": Typed("small", 7, -3, "int4"),
    "c_smaller": Typed("smaller", 7, -3, "int4"),
    "c_word": Typed("word", "apple", "plum", "text"),
    "c_amount": Typed("amount", 12.5, -3, "numeric"),
    "c_moment": Typed("moment", "2024-02-29T12:30:00+01:00", "1999-12-31T23:59:59Z", "timestamptz"),
    "c_doc": Typed("doc", {"a": 1, "b": [2]}, ["a", "c"], "jsonb", _DOCS),
    "c_humour": Typed("humour", "so so", "it's", "mood"),
    "c_ids": Typed("ids", [1, 2], [3], "int4[]", ("{1,2}", "{3}")),
    "c_span": Typed("span", "[1,5)", "[7,9)", "int4range"),
    "c_smalls": Typed("small[]", [1, 2], [3], "int4[]", ("{1,2}", "{3}")),
    "c_words": Typed("word[]", ["a", "b"], ["c"], "text[]", ("{a,b}", "{c}")),
    "c_humours": Typed("humour[]", ["so so"], ["calm"], "mood[]", ('{"so so"}', "{calm}")),
    "c_doc_list": Typed("doc[]", [{"a": 1}], [[1]], "jsonb[]", ('{"{\\"a\\": 1}"}', '{"[1]"}')),
    "c_spans": Typed("span[]", ["[1,5)"], [], "int4range[]", ('{"[1,5)"}', "{}")),
}

# What the wheel of the tests' server does not have.
EXTENSIONS_SQL = """
CREATE EXTENSION citext;
CREATE DOMAIN email AS citext CHECK (VALUE <> '');
"""
EXTENDED = {
    "c_citext": Typed("citext", "Apple", "plum"),
    "c_citexts": Typed("citext[]", ["Apple"], ["plum"], texts=("{Apple}", "{plum}")),
    "c_email": Typed("email", "Apple", "plum", "citext"),
    "c_emails": Typed("email[]", ["Apple"], ["plum"], "citext[]", ("{Apple}", "{plum}")),
    "c_xml": Typed("xml", "<a/>", "<b/>"),
}


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def table_sql(all_typed: Mapping[str, Typed]) -> str:
    """Row 1 has each type's first value, row 2 its second, row 3 none."""
    columns = ", ".join(f"{name} {typed.declared}" for name, typed in all_typed.items())
    one = ", ".join(quoted(typed.text(typed.one)) for typed in all_typed.values())
    two = ", ".join(quoted(typed.text(typed.two)) for typed in all_typed.values())
    rows = f"INSERT INTO thing VALUES (1, {one}), (2, {two}); INSERT INTO thing (id) VALUES (3);"
    return f"CREATE TABLE thing (id int PRIMARY KEY, {columns}); {rows}"
