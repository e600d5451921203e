"""What a database holds: its tables with keys and exact column types, and the signatures of its functions."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import asyncpg
import sqlalchemy as sa

from app.database.enum_rows import note_enum_rows
from app.database.pool import CONNECT_TIMEOUT, STATEMENT_TIMEOUT
from app.database.reflection_sql import FUNCTIONS, LEAKPROOF, TABLES, TYPES
from schema.model import Leakproof, PgType, TableName
from schema.pg_functions import PgArgument, PgFunction
from schema.sql_types import Native

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reflected:
    """What stands in `info`: `writes`, `partitioned`, `indexed`, `ordered` of a table, `leakproof` of a column, `trusted` of a foreign key.

    A trusted key is checked by PostgreSQL at the end of every statement.
    """

    metadata: sa.MetaData
    functions: tuple[PgFunction, ...]


async def reflect(database_url: str, enums: Iterable[TableName] = ()) -> Reflected:
    """Reads every table, view and function outside the system schemas, in one snapshot.

    `database_url` is `postgresql://…`; `enums` are tables whose rows are read too. Raises asyncpg's errors when the database can't be
    reached.
    """
    # Compiling these catalog queries to machine code takes thirty times as long as running them.
    connection = await asyncpg.connect(
        database_url, server_settings={"jit": "off"}, timeout=CONNECT_TIMEOUT, command_timeout=STATEMENT_TIMEOUT
    )
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            tables = json.loads(await connection.fetchval(TYPES + TABLES))
            functions = json.loads(await connection.fetchval(TYPES + FUNCTIONS))
            leakproof = json.loads(await connection.fetchval(TYPES + LEAKPROOF))
            metadata = sa.MetaData()
            known = {type_id: _leakproof(row) for type_id, row in leakproof.items()}
            for row in tables:
                _table(metadata, row, known)
            await note_enum_rows(connection, metadata, enums)
    finally:
        await connection.close()
    return Reflected(metadata, tuple(map(_function, functions)))


def _leakproof(row: Row) -> Leakproof:
    return Leakproof(frozenset((operator["name"], _type(operator["right"])) for operator in row["operators"]), row["sorting"])


def _table(metadata: sa.MetaData, row: Row, leakproof: Mapping[str, Leakproof]) -> sa.Table:
    return sa.Table(
        row["name"],
        metadata,
        *(_column(column, leakproof[column["type_id"]]) for column in row["columns"]),
        *(_key(key) for key in row["keys"]),
        *(_foreign_key(key) for key in row["foreign_keys"]),
        schema=row["schema"],
        comment=row["comment"],
        info={
            "writes": frozenset(row["writes"]),
            "partitioned": row["partitioned"],
            "indexed": frozenset(row["indexed"]),
            "ordered": frozenset(map(tuple, row["ordered"])),
        },
    )


def _column(row: Row, leakproof: Leakproof) -> sa.Column[Any]:
    made: list[sa.Computed | sa.Identity] = []
    if row["generated"]:
        made.append(sa.Computed(row["generated"]))
    if row["identity_always"]:
        made.append(sa.Identity(always=True))
    type_, info = Native(replace(_type(row["type"]), length=row["length"])), {"leakproof": leakproof}
    return sa.Column(row["name"], type_, *made, nullable=row["nullable"], comment=row["comment"], info=info)


def _type(row: Row) -> PgType:
    schema = None if row["schema"] in ("pg_catalog", "public") else row["schema"]
    labels = tuple(row["labels"] or ())
    return PgType(
        row["name"],
        is_array=row["is_array"],
        is_enum=bool(labels),
        schema=schema,
        labels=labels,
        aggregates=frozenset(row["aggregates"] or ()),
        declared_otherwise=row["declared_otherwise"],
        is_domain=row["is_domain"],
    )


def _key(row: Row) -> sa.PrimaryKeyConstraint | sa.UniqueConstraint:
    kind = sa.PrimaryKeyConstraint if row["primary"] else sa.UniqueConstraint
    return kind(*row["columns"], name=row["name"])


def _foreign_key(row: Row) -> sa.ForeignKeyConstraint:
    target = f"{row['target_schema']}.{row['target_table']}"
    remote = [f"{target}.{column}" for column in row["target_columns"]]
    return sa.ForeignKeyConstraint(row["columns"], remote, name=row["name"], info={"trusted": row["trusted"]})


def _function(row: Row) -> PgFunction:
    names = row["argument_names"] or []
    types = row["argument_types"] or []
    named = names + [""] * (len(types) - len(names))
    # Only the last ones can have a default.
    first_default = len(types) - row["defaults"]
    return PgFunction(
        TableName(row["schema"], row["name"]),
        tuple(
            PgArgument(name or None, TableName(**kind["named"]), _type(kind["value"]), kind["takes_row"], place >= first_default)
            for place, (name, kind) in enumerate(zip(named, types, strict=False))
        ),
        _type(row["returns"]),
        returns_set=row["returns_set"],
        returns_row=row["returns_row"],
        volatile=row["volatile"],
        variadic=row["variadic"],
        comment=row["comment"],
    )
