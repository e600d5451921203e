"""Every way an action is refused stands in docs/errors.md."""

import re
from pathlib import Path

from domain.errors import ActionError

TABLE = (Path(__file__).parents[2] / "docs" / "errors.md").read_text().partition("## Table fields")[0]


def test_every_code_is_explained_and_no_other() -> None:
    explained = set(re.findall(r"^\| `([a-z0-9-]+)` \|", TABLE, re.MULTILINE))
    assert explained == {error.code for error in ActionError.__subclasses__()}


def test_every_error_says_a_sentence() -> None:
    for error in ActionError.__subclasses__():
        assert re.fullmatch(r"[A-Z].*\.", (error.__doc__ or "").strip().splitlines()[0]), error
