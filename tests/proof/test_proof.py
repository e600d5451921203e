"""Whatever the metadata and whoever asks: the engine, Python and row security decide alike. `make proof` for twenty-five times as many."""

import os
import secrets
from collections import Counter
from random import Random

import asyncpg
import pytest

from tests.proof.policies import WRITER
from tests.proof.trial import Trial
from tests.support.databases import Databases

WHOLE = os.environ.get("NCHAT_TRIALS") == "whole"
# In two halves, so that two workers have something to do.
HALVES = (0, 1)
COMBINATIONS = (50_000 if WHOLE else 2_000) // len(HALVES)
# In one database.
SCHEMAS = 10


@pytest.mark.anyio
@pytest.mark.timeout(7200 if WHOLE else 600)
@pytest.mark.parametrize("half", HALVES)
async def test_everybody_decides_alike(half: int, databases: Databases, capsys: pytest.CaptureFixture[str]) -> None:
    seed = int(os.environ.get("NCHAT_SEED", secrets.randbelow(1 << 32)))
    with capsys.disabled():
        print(f"\nNCHAT_SEED={seed} runs this proof again, half {half}")
    rng, seen = Random(f"{seed} {half}"), Counter[str]()
    while _decided(seen) < COMBINATIONS:
        with databases.temporary() as url:
            connection = await asyncpg.connect(url)
            try:
                await connection.execute(f"DO $$ BEGIN CREATE ROLE {WRITER}; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
                trial = Trial(connection, rng, COMBINATIONS - _decided(seen))
                await trial.run(url, SCHEMAS)
            finally:
                await connection.close()
            seen += trial.seen
    print(dict(sorted(seen.items())))
    assert {"written", "permission-error", "broken", "written, by row security too"} <= seen.keys()


def _decided(seen: Counter[str]) -> int:
    return sum(count for what, count in seen.items() if not what.startswith("garbled"))
