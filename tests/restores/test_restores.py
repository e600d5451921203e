"""The database comes back as it was 500 events ago, under a service that stays up: everybody is told within two seconds, nobody waits.

Whole by `make trial-restores`; among all the other tests one of the ways.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import pytest

from tests.restores.backups import Backup, Dump, PointInTime, beside_it, made_anew, over_it
from tests.restores.trial import trial_of
from tests.support.databases import Databases
from tests.support.forked_commands import ForkedCommands
from tests.support.seeded_server import seeded_server
from tests.trials.scale import WHOLE

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]

in_whole = pytest.mark.skipif(not WHOLE, reason="by make trial-restores")


@pytest.fixture
def archived(tmp_path: Path) -> Iterator[PointInTime]:
    """A server of its own: a recovery is of all its databases."""
    with seeded_server(tmp_path / "server", "archived") as (server, url):
        backup = PointInTime(server, url, tmp_path)
        backup.prepare()
        yield backup


def lines_of(output: Path) -> list[dict[str, str]]:
    """What the service logged."""
    return [orjson.loads(line) for line in output.read_text().splitlines()]


async def everybody_is_told(backup: Backup, commands: ForkedCommands, folder: Path, *, times: int = 1) -> None:
    """The same backup comes back so many times."""
    output = folder / "service.log"
    async with trial_of(backup, commands, output) as trial:
        await trial.prepare()
        epochs = list[str]()
        for _ in range(times):
            calls, heads = await trial.go_on()
            epochs.append(await trial.restore_under(calls, heads))
            await trial.lives_on(epochs)
            for epoch in epochs:
                await trial.come_back(calls, heads, epoch)
        assert len(set(epochs)) == times
    for who, many, longest in trial.told:
        print(f"  {who}: {many} told, the last after {longest:.2f} s")  # noqa: T201 - shown by `pytest -s`
    # Jobs that meet a database which is half there say so; whoever follows is nobody's fault.
    assert {line["event"] for line in lines_of(output) if line["level"] == "error"} <= {"job_failed"}


@in_whole
async def test_a_recovery_to_a_point_in_time(archived: PointInTime, commands: ForkedCommands, tmp_path: Path) -> None:
    await everybody_is_told(archived, commands, tmp_path)


@pytest.mark.parametrize(
    ("put_back", "times"),
    [
        pytest.param(over_it, 1, marks=in_whole),
        pytest.param(made_anew, 1, marks=in_whole),
        pytest.param(beside_it, 1),
        pytest.param(beside_it, 2, marks=in_whole),
    ],
)
async def test_a_dump(
    databases: Databases,
    demo_database_url: str,
    commands: ForkedCommands,
    tmp_path: Path,
    put_back: Callable[[Dump], None],
    times: int,
) -> None:
    await everybody_is_told(Dump(databases.server, demo_database_url, tmp_path, put_back), commands, tmp_path, times=times)
