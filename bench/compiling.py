"""What a document costs that no plan is known for: parsed, and compiled to SQL for a role whose rules were compiled before.

`python -m bench.compiling` prints medians of the documents of `make bench`, in CPU time of this process; `--profile W2` where it goes, and
`--sql W2` what comes of it.
"""

import argparse
import asyncio
import cProfile
import pstats
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg

from app.database.reflection import reflect
from bench.__main__ import TABLES
from bench.servers import METADATA
from bench.workloads import WORKLOADS, Workload
from devstack.postgres import EmbeddedPostgres
from permissions.reading.metadata import load_metadata
from permissions.resolving.resolve import resolve
from permissions.session import Session
from resolvers.compile import compile_operation
from resolvers.compiled import TableQuery
from resolvers.documents.document import Operation, read_operation
from resolvers.documents.limits import Budget, Limits
from resolvers.documents.variables import Variables
from resolvers.hand_written.action_fields import ActionFields
from resolvers.roles.role_views import RoleView, RoleViews
from resolvers.roles.whole_schema import whole_schema
from resolvers.sql.plan import Plan
from resolvers.walk.walk import Walk
from schema.model import Catalog

TIMES: Final = 200
USER: Final = Session("user", {"x-hasura-user-id": "b9f0a1de-6f3e-4c1b-9c37-6f8f4a7f1d11"})


@dataclass(frozen=True, slots=True)
class Compiler:
    """What the planner does for a document and a shape of variables that are new."""

    catalog: Catalog
    view: RoleView

    def read(self, workload: Workload) -> Operation:
        return read_operation(workload.query, workload.name)

    def plan(self, workload: Workload, operation: Operation) -> Plan:
        variables = Variables(operation, {"id": USER.variable("x-hasura-user-id")} if workload.by_id else {})
        walk = Walk(self.view.schema._schema, self.catalog, self.view.rules, variables, self.view.costs, Budget(Limits()))
        compiled = compile_operation(walk, operation)
        if not isinstance(compiled, TableQuery):
            raise TypeError("the workloads ask for tables alone")
        return compiled.plan


def milliseconds(work: Callable[[], object], times: int = TIMES) -> float:
    """The median of so many, after as many that nobody counts: the rules' own texts are made in the first."""
    took: list[float] = []
    for _ in range(2 * times):
        began = time.thread_time()
        work()
        took.append((time.thread_time() - began) * 1e3)
    return statistics.median(took[times:])


async def compiler(database_url: str) -> Compiler:
    """Over the tables and rules of `make bench`, which may as well be empty."""
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(TABLES.read_text())
    finally:
        await connection.close()
    read = load_metadata(METADATA)
    reflected = await reflect(database_url)
    resolved = resolve(read, reflected.metadata, reflected.functions, strict=True)
    views = RoleViews(resolved.catalog, resolved.roles, whole_schema(resolved.catalog, ActionFields()))
    return Compiler(resolved.catalog, views.of(USER))


def profiled(made: Compiler, workload: Workload) -> None:
    operation = made.read(workload)
    made.plan(workload, operation)
    profile = cProfile.Profile(time.thread_time)
    profile.enable()
    for _ in range(TIMES):
        made.plan(workload, operation)
    profile.disable()
    stats = pstats.Stats(profile)
    stats.sort_stats("tottime").print_stats(45)
    stats.sort_stats("cumulative").print_stats(70)


def told(made: Compiler, workload: Workload) -> None:
    operation = made.read(workload)
    parsed, compiled = milliseconds(lambda: made.read(workload)), milliseconds(lambda: made.plan(workload, operation))
    print(f"{workload.name} ({workload.what}): parsed in {parsed:.2f} ms, compiled in {compiled:.2f} ms, medians of {TIMES}", flush=True)


def main() -> None:
    names = {workload.name: workload for workload in WORKLOADS}
    parser = argparse.ArgumentParser(prog="python -m bench.compiling", description=__doc__)
    parser.add_argument("--profile", choices=names, help="where the time of one goes")
    parser.add_argument("--sql", choices=names, help="the statement of one")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="nchat-bench-") as folder:
        postgres = EmbeddedPostgres(Path(folder), durable=False)
        try:
            made = asyncio.run(compiler(postgres.start()))
        finally:
            postgres.stop()
    if options.profile:
        profiled(made, names[options.profile])
    elif options.sql:
        print(made.plan(names[options.sql], made.read(names[options.sql])).sql)
    else:
        for workload in WORKLOADS:
            told(made, workload)


if __name__ == "__main__":
    main()
