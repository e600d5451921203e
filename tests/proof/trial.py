"""Combinations of a schema, permissions, rows, a session and a request, each decided three times."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

import asyncpg

from app.database.reflection import reflect
from permissions.reading import json_nodes
from permissions.reading.metadata import read_metadata
from permissions.resolving.resolve import resolve
from permissions.session import Session
from resolvers.documents.request import Request
from resolvers.engine import Engine
from tests.proof.conditions import random_session
from tests.proof.connection import OneConnection
from tests.proof.judge import Judge
from tests.proof.mutations import Write, random_write
from tests.proof.policies import WRITER, policies, secured, settings, statement
from tests.proof.reads import canonical, random_read
from tests.proof.roles import Role, inherited, permissions_of, random_role
from tests.proof.schemas import Rows, Schema, ddl, quoted, random_rows, random_schema, table_metadata
from tests.proof.writes import Broken, Denied, Store
from tests.support.refusals import code_in, error_in
from tests.support.unshared import AskedTwice

# Of one schema: roles with permissions of their own, roles that inherit, and what each of them asks.
ROLES, HEIRS, REQUESTS = 9, 2, 10
# What stops a write beside the permission: constraints, and a row that is met twice.
# Hasura's words for an upsert that meets a row twice, whose code alone would be that of a fault of ours.
_MET_TWICE = "database query error"
_BROKEN = {"constraint-violation", "data-exception", _MET_TWICE}
_OURS = {"unexpected", "postgres-error"}


@dataclass(slots=True)
class Trial:
    """Many schemas in one database, until there were `most` combinations; `seen` counts what came of them."""

    connection: asyncpg.Connection
    rng: Random
    most: int
    seen: Counter[str] = field(default_factory=Counter)

    async def run(self, url: str, schemas: int) -> None:
        found = [random_schema(self.rng, number) for number in range(schemas)]
        await self.connection.execute("\n".join(ddl(schema) + secured(schema) for schema in found))
        reflected = await reflect(url)
        for schema in found:
            if self.seen.total() >= self.most:
                return
            roles = [random_role(self.rng, schema, f"r{number}") for number in range(ROLES)]
            roles += [inherited(f"h{number}", self.rng.sample(roles, 2)) for number in range(HEIRS)]
            node = json_nodes.parse_json(json.dumps(_metadata(schema, roles)), "metadata.json")
            resolved = resolve(read_metadata(node), reflected.metadata, reflected.functions, strict=False)
            engine = Engine.build(resolved.catalog, resolved.roles, AskedTwice(OneConnection(self.connection)))
            for role in roles:
                await _RoleTrial(self, schema, engine, role).run()


def _code(answer: Any, asked: object) -> str:
    return _MET_TWICE if error_in(answer, asked)["message"] == _MET_TWICE else code_in(answer, asked)


def _metadata(schema: Schema, roles: list[Role]) -> dict[str, Any]:
    tables = [table_metadata(table) | permissions_of(roles, table) for table in schema.values()]
    functions = [{"function": f"{table}_from"} for table in schema]
    heirs = [{"role_name": role.name, "role_set": list(role.parents)} for role in roles if role.parents]
    source = {"name": "default", "kind": "postgres", "tables": tables, "functions": functions}
    return {"version": 3, "sources": [source], "inherited_roles": heirs}


@dataclass(slots=True)
class _RoleTrial:
    """One role over one set of rows, which every request finds as it was."""

    trial: Trial
    schema: Schema
    engine: Engine
    role: Role
    rows: Rows = field(init=False)

    async def run(self) -> None:
        rng, connection = self.trial.rng, self.trial.connection
        self.rows = random_rows(rng, self.schema)
        secured = rng.random() < 0.35 and not self.role.parents
        around = connection.transaction()
        await around.start()
        try:
            await connection.execute(_filled(self.rows) + (policies(self.schema, self.role) if secured else ""))
            for _ in range(REQUESTS):
                session = random_session(rng)
                if rng.random() < 0.3 and self.role.select:
                    await self._read(session)
                elif write := random_write(rng, self.schema, self.role):
                    await self._write(write, session, secured=secured)
        finally:
            await around.rollback()

    async def _read(self, session: dict[str, str]) -> None:
        read = random_read(self.trial.rng, self.schema, self.role)
        query, variables = read.request(self.trial.rng)
        answer = await self._ask(query, variables, session)
        expected = {"data": {"found": read.answer(Judge(self.schema, self.rows, self.role, session))}}
        assert canonical(answer) == canonical(expected), self._told(query, variables, session, answer, expected)
        self.trial.seen[f"read {read.kind}"] += 1
        await self._garbled(query, variables, session)

    async def _write(self, write: Write, session: dict[str, str], *, secured: bool) -> None:
        backend = self.trial.rng.random() < 0.5
        verdict, rows, affected = self._expected(write, session, backend=backend)
        savepoint = self.trial.connection.transaction()
        await savepoint.start()
        answer = await self._ask(write.query, write.variables, session, backend=backend)
        after = await self._dump()
        await savepoint.rollback()
        told = self._told(write.query, write.variables, session, answer, (verdict, affected, rows))
        if verdict == "written":
            assert "errors" not in answer, told
            found = answer["data"]["found"]
            assert affected == sum(one["affected_rows"] for one in (found if isinstance(found, list) else [found])), told
        else:
            code = _code(answer, write.query) if "errors" in answer else "written"
            assert code in (_BROKEN if verdict == "broken" else {verdict}), told
        assert canonical(after) == canonical(rows), f"{told}\nafter: {after}"
        if secured and write.plain is not None and verdict != "validation-failed":
            await self._secured(write, session, verdict, rows, told)
            verdict += ", by row security too"
        self.trial.seen[verdict] += 1
        await self._garbled(write.query, write.variables, session)

    def _expected(self, write: Write, session: Mapping[str, str], *, backend: bool) -> tuple[str, Rows, int]:
        """The verdict, the rows as they are afterwards, and how many were written."""
        if write.null_of_none or (write.backend_only and not backend):
            return "validation-failed", self.rows, 0
        store = Store(self.schema, {name: list(rows) for name, rows in self.rows.items()}, self.role, session)
        try:
            write.run(store)
        except Denied:
            return "permission-error", self.rows, 0
        except Broken:
            return "broken", self.rows, 0
        return "written", {name: sorted(rows, key=lambda row: row["id"]) for name, rows in store.rows.items()}, store.affected

    async def _secured(self, write: Write, session: dict[str, str], verdict: str, rows: Rows, told: str) -> None:
        assert write.plain is not None
        kind, table, objects, _, _ = write.plain
        store, connection = Store(self.schema, self.rows, self.role, session), self.trial.connection
        complete = [store.complete(table, row) for row in objects]
        presets = store.presets(table) if kind == "update" else {}
        savepoint = connection.transaction()
        await savepoint.start()
        refused = False
        try:
            sql = statement(self.schema, write, complete, presets)
            await connection.execute(f"{settings(session)}; SET LOCAL ROLE {WRITER}; {sql}; RESET ROLE")
            after = await self._dump()
        except (asyncpg.InsufficientPrivilegeError, asyncpg.IntegrityConstraintViolationError):
            refused, after = True, self.rows
        await savepoint.rollback()
        assert refused is (verdict != "written"), f"{told}\nrow security: {'refused' if refused else 'written'}"
        assert canonical(after) == canonical(rows), f"{told}\nrow security: {after}"

    async def _garbled(self, query: str, variables: dict[str, Any], session: dict[str, str]) -> None:
        """A document with a word of it lost, repeated or elsewhere is answered or refused, and never our fault."""
        rng = self.trial.rng
        if rng.random() > 0.2:
            return
        words = query.split(" ")
        place, other = rng.randrange(len(words)), rng.randrange(len(words))
        words[place] = rng.choice(["", words[other], words[place] * 2, "null", "{}", "[]", "1e400", '"x"'])
        savepoint = self.trial.connection.transaction()
        await savepoint.start()
        answer = await self._ask(" ".join(words), variables, session)
        await savepoint.rollback()
        code = _code(answer, words) if "errors" in answer else "answered"
        assert code not in _OURS, self._told(" ".join(words), variables, session, answer, "no fault of ours")
        self.trial.seen["garbled, answered" if code == "answered" else "garbled, refused"] += 1

    async def _ask(self, query: str, variables: dict[str, Any], session: Mapping[str, str], *, backend: bool = False) -> Any:
        who = Session(self.role.name, {**session, "x-hasura-role": self.role.name}, trusted=backend, backend_only=backend)
        return json.loads((await self.engine.execute(Request(query, variables), who)).body)

    async def _dump(self) -> Rows:
        tables = ", ".join(f"'{name}', (SELECT coalesce(json_agg(t ORDER BY id), '[]') FROM {name} t)" for name in self.schema)
        found: Rows = json.loads(await self.trial.connection.fetchval(f"SELECT json_build_object({tables})"))
        return found

    def _told(self, query: str, variables: dict[str, Any], session: Mapping[str, str], answer: Any, expected: Any) -> str:
        parts = {"role": self.role, "rows": self.rows, "session": session, "query": query, "variables": variables}
        return "\n".join(f"{name}: {value}" for name, value in {**parts, "answer": answer, "expected": expected}.items())


def _filled(rows: Rows) -> str:
    return "".join(
        f"INSERT INTO {name} ({', '.join(row)}) VALUES ({', '.join('NULL' if value is None else quoted(value) for value in row.values())});"
        for name, found in rows.items()
        for row in found
    )
