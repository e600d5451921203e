"""Random queries of a role, and what the rows that it sees make of them."""

import functools
import json
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.proof.conditions import random_where
from tests.proof.documents import Document, Word
from tests.proof.judge import Judge
from tests.proof.roles import Role
from tests.proof.schemas import Row, Schema

_DIRECTIONS = ["asc", "desc", "asc_nulls_first", "desc_nulls_last"]


@dataclass(slots=True)
class Page:
    """What a list is asked for; rows in the order of `order`, and of their ids."""

    where: dict[str, Any] | None
    order: list[tuple[str, str]]
    limit: int | None
    offset: int | None

    def arguments(self, table: str) -> dict[str, tuple[str, Any]]:
        found: dict[str, tuple[str, Any]] = {"order_by": (f"[{table}_order_by!]", [{name: Word(way)} for name, way in self.order])}
        if self.where is not None:
            found["where"] = f"{table}_bool_exp", self.where
        if self.limit is not None:
            found["limit"] = "Int", self.limit
        if self.offset is not None:
            found["offset"] = "Int", self.offset
        return found


@dataclass(slots=True)
class Read:
    """A query of one role: its document with variables, and how its answer is worked out."""

    schema: Schema
    role: Role
    table: str
    kind: str
    page: Page
    columns: list[str]
    inside: tuple[str, Page] | None
    lowest: int

    def request(self, rng: Random) -> tuple[str, dict[str, Any]]:
        document = Document(rng)
        given = self.page.arguments(self.table)
        root = {"select": self.table, "aggregate": f"{self.table}_aggregate", "function": f"{self.table}_from"}[self.kind]
        if self.kind == "function":
            given["args"] = f"{self.table}_from_args!", {"lowest": self.lowest}
        rows = f"{{ {' '.join(self.columns)} {self._related(document)} }}"
        if self.kind == "aggregate":
            most = next((name for name in self.columns if name != "id" and self._is_number(name)), None)
            values = "" if most is None else f"max {{ {most} }} sum {{ {most} }}"
            rows = f"{{ aggregate {{ count {values} }} nodes {rows} }}"
        return document.text("query", f"found: {root}{document.arguments(given)} {rows}"), document.values

    def answer(self, judge: Judge) -> Any:
        rows = [row for row in judge.visible(self.table) if self.kind != "function" or row["id"] >= self.lowest]
        found = page(judge, self.table, rows, self.page, self.role.limit(self.table))
        shown = [self._shown(judge, row) for row in found]
        if self.kind != "aggregate":
            return shown
        # The permission's limit holds for the rows, not for what is counted.
        counted = page(judge, self.table, rows, self.page, None)
        aggregate: Row = {"count": len(counted)}
        most = next((name for name in self.columns if name != "id" and self._is_number(name)), None)
        if most is not None:
            values = [value for row in counted if (value := judge.cell(self.table, row, most)) is not None]
            aggregate |= {"max": {most: max(values, default=None)}, "sum": {most: sum(values) if values else None}}
        return {"aggregate": aggregate, "nodes": shown}

    def _is_number(self, name: str) -> bool:
        return name in self.schema[self.table].of_kind("int")

    def _related(self, document: Document) -> str:
        if self.inside is None:
            return ""
        name, inner = self.inside
        way = self.schema[self.table].ways[name]
        return f"inside: {name}{document.arguments(inner.arguments(way.target)) if way.many else ''} {{ id }}"

    def _shown(self, judge: Judge, row: Row) -> Row:
        shown = {name: judge.cell(self.table, row, name) for name in self.columns}
        if self.inside is not None:
            name, inner = self.inside
            way = self.schema[self.table].ways[name]
            rows = [other for other in judge.related(self.table, row, name) if judge.sees(way.target, other)]
            if way.many:
                found = page(judge, way.target, rows, inner, self.role.limit(way.target))
                shown["inside"] = [{"id": judge.cell(way.target, other, "id")} for other in found]
            else:
                shown["inside"] = {"id": judge.cell(way.target, rows[0], "id")} if rows else None
        return shown


def page(judge: Judge, table: str, rows: list[Row], asked: Page, permitted: int | None) -> list[Row]:
    """The rows that are asked for, in order: no more than are permitted."""
    found = [row for row in rows if judge.found(asked.where or {}, table, row)]
    for name, direction in reversed(asked.order):
        found = _sorted(found, functools.partial(judge.cell, table, name=name), direction)
    found = found[asked.offset or 0 :]
    limits = [limit for limit in (asked.limit, permitted) if limit is not None]
    return found[: min(limits)] if limits else found


def _sorted(rows: list[Row], value: Any, direction: str) -> list[Row]:
    given, empty = [row for row in rows if value(row) is not None], [row for row in rows if value(row) is None]
    # Python turns a list around without turning those that are equal.
    given.sort(key=value, reverse=direction.startswith("desc"))
    first = direction in ("desc", "asc_nulls_first")
    return empty + given if first else given + empty


def random_read(rng: Random, schema: Schema, role: Role) -> Read:
    table = rng.choice(sorted(role.select))
    tracked, readable = schema[table], role.readable(table)
    kinds = ["select", "select", "select", "function", *(["aggregate"] if role.aggregates(table) else [])]
    columns = ["id", *rng.sample(readable, rng.randint(0, len(readable)))]
    ways = [name for name, way in tracked.ways.items() if way.target in role.select]
    inside = None
    if ways and rng.random() < 0.7:
        way = rng.choice(ways)
        inside = way, random_page(rng, schema, role, tracked.ways[way].target, 1)
    asked = random_page(rng, schema, role, table, 2)
    return Read(schema, role, table, rng.choice(kinds), asked, list(dict.fromkeys(columns)), inside, rng.randint(0, 3))


def random_page(rng: Random, schema: Schema, role: Role, table: str, depth: int) -> Page:
    where = random_where(rng, schema, table, role.readable, role.aggregates, depth) if rng.random() < 0.7 else None
    readable = role.readable(table)
    order = [(name, rng.choice(_DIRECTIONS)) for name in rng.sample(readable, rng.randint(0, min(2, len(readable))))]
    limit = rng.randint(0, 3) if rng.random() < 0.4 else None
    return Page(where, [*order, ("id", "asc")], limit, rng.randint(0, 2) if rng.random() < 0.2 else None)


def canonical(answer: Any) -> str:
    return json.dumps(answer, sort_keys=True)
