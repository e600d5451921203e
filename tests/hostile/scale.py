"""How large an attack is: whole by `make hostile`, shorter among all the other tests."""

import os

WHOLE = os.environ.get("NCHAT_HOSTILE") == "whole"


def scaled(whole: int, short: int) -> int:
    """The attack's number as the run has it."""
    return whole if WHOLE else short
