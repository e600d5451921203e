"""`make bench-faults`: 0 lost, 0 doubled, 0 reordered, whatever is killed; `--check FOLDER` looks again at what a run has left."""

import argparse
import secrets
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import uvloop

from bench.faults.history import Checked, check
from bench.faults.run import Outcome, Size, run
from devstack.demo_data import seed
from devstack.migrated_database import migrated_database

# What a run has to have met, or it shows nothing.
TROUBLES = (
    "times Redis connections killed", "times Redis killed and started", "PostgreSQL connections killed", "processes killed",
    "hints dropped", "hints doubled", "hints delayed",
)  # fmt: skip
# Errors that tell a subscriber that its cursor is wrong, which it never is.
WRONG_CURSOR = ("cursor-ahead", "history-changed")


def told(checked: Checked) -> None:
    wrong = checked.wrong
    print(
        f"\n  {checked.deliveries:,} deliveries of {checked.events:,} events to {checked.subscribers} subscribers: "
        f"{wrong.lost} lost, {wrong.doubled} doubled, {wrong.reordered} reordered, {wrong.altered} altered; {checked.gaps} calls with gaps"
    )


def table(title: str, rows: Iterable[tuple[str, int]]) -> None:
    print(f"\n  {title}")
    for what, many in rows:
        print(f"    {many:9,}  {what}")


def verdict(outcome: Outcome, size: Size) -> bool:
    """Prints all that was found; whether it is well."""
    codes = [error["extensions"]["code"] for refusal in outcome.refused for error in refusal]
    table("what was broken", outcome.met.items())
    table("what writers heard", outcome.written.items())
    table("how connections of subscribers ended", outcome.ended.items())
    if codes:
        table("what subscribers were refused", ((code, codes.count(code)) for code in sorted(set(codes))))
    told(outcome.checked)
    missing = [trouble for trouble in TROUBLES if not outcome.met[trouble]]
    if missing:
        print(f"  Nothing is shown: there were no {', '.join(missing)}.")
    well = outcome.checked.is_well and outcome.checked.deliveries >= size.deliveries and not missing and not {*codes} & {*WRONG_CURSOR}
    print(f"  {'Well' if well else 'NOT WELL'}, after {outcome.seconds:.0f} s.")
    return well


async def measure(database_url: str, folder: Path, size: Size) -> bool:
    await seed(database_url)
    return verdict(await run(database_url, folder, size, lambda line: print(line, flush=True)), size)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.faults", description=__doc__)
    parser.add_argument("--subscribers", type=int, default=300, help="how many follow (default 300)")
    parser.add_argument("--deliveries", type=int, default=500_000, help="events sent to all together (default 500000)")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000), help="of all chances (default: another one each time)")
    parser.add_argument("--check", type=Path, metavar="FOLDER", help="compare the histories of a run again")
    options = parser.parse_args()
    if options.check:
        checked = check(options.check)
        told(checked)
        return 0 if checked.is_well else 1
    size = Size(subscribers=options.subscribers, deliveries=options.deliveries, seed=options.seed)
    folder = Path(tempfile.mkdtemp(prefix="nchat-faults-"))
    print(f"  seed {size.seed}; what each subscriber was sent: {folder} (python -m bench.faults --check {folder})", flush=True)
    with migrated_database() as database_url:
        return 0 if uvloop.run(measure(database_url, folder, size)) else 1


if __name__ == "__main__":
    sys.exit(main())
