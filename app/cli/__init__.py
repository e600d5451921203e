"""The command line: `nchat-rtc serve | dev | token | migrate | restored | keys | recordings | sockets | status`.

In: arguments and the environment. Out: an exit code, and for whoever waits at the terminal one sentence.
"""

import sys
from collections.abc import Sequence

from app.cli.parser import parser
from app.cli.refusal import Refusal
from app.interpreter import load


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command. Returns its exit code: 0 done, 1 refused or failed with one sentence on stderr, 2 wrong usage.

    `status` has a 3 besides: the service is degraded; so has `recordings sweep --dry-run`: it found something, and `keys rotate`: something
    is left under an older key.
    """
    load()
    try:
        chosen = parser().parse_args(arguments)
        return int(chosen.run(chosen))
    except Refusal as refusal:
        print(f"nchat-rtc: {refusal}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
