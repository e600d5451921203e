"""How a contributor comes to the next revision: `make revision`, which numbers it, needs nothing and says what is left to do."""

from pathlib import Path

import pytest

import migrations
from migrations.numbering import next_number
from tests.support.copied_checkout import CopiedCheckout

VERSIONS = Path("migrations") / "versions"
NEXT = next_number(migrations.revisions())


@pytest.fixture
def copy(tmp_path: Path) -> CopiedCheckout:
    return CopiedCheckout.at(tmp_path)


def written(copy: CopiedCheckout) -> list[str]:
    """Revisions that the copy has and the checkout has not."""
    return sorted(file.name for file in (copy.root / VERSIONS).glob("*.py") if file.name[:4] not in migrations.revisions())


@pytest.mark.parametrize(
    ("taken", "following"),
    [
        ([], "0001"),
        (["0013", "0012", "0001"], "0014"),
        (["0001", "0007"], "0008"),
        (["0009", "ae1027a6acf0", "123456789012"], "0010"),
        (["0999"], "1000"),
    ],
    ids=["the first", "after the highest", "gaps stay", "other names do not count", "a fourth digit"],
)
def test_the_next_number(taken: list[str], following: str) -> None:
    assert next_number(taken) == following


def test_a_revision_without_a_change_of_the_models_is_empty_and_says_so(copy: CopiedCheckout) -> None:
    done = copy.make("revision", "m=A trigger, by hand.")
    assert done.returncode == 0, done.stderr
    name = f"{NEXT}_a_trigger_by_hand.py"
    path, told = done.stdout.splitlines()
    assert path == str(VERSIONS / name)
    assert told.startswith("The models say what the migrations make: it is empty")
    text = (copy.root / path).read_text()
    assert text.startswith('"""A trigger, by hand."""\n')
    assert f'revision = "{NEXT}"\ndown_revision = "{migrations.head()}"\n' in text
    assert text.endswith("def upgrade() -> None:\n    limit_lock_wait()\n\n\ndef downgrade() -> None:\n    limit_lock_wait()\n")
    checked = copy.python("-m", "ruff", "check", str(VERSIONS))
    assert checked.returncode == 0, checked.stdout
    assert copy.python("-m", "ruff", "format", "--check", str(VERSIONS)).returncode == 0


@pytest.mark.parametrize("arguments", [[], ["m="], ["m= . "]], ids=["nothing", "an empty text", "no word"])
def test_without_a_word_to_name_it_by_there_is_a_sentence_and_no_file(copy: CopiedCheckout, arguments: list[str]) -> None:
    refused = copy.make("revision", *arguments)
    assert refused.returncode != 0
    assert refused.stderr.startswith('Say in a few words what the revision brings: make revision m="Notes of calls"\n')
    assert written(copy) == []


def test_plain_alembic_numbers_as_well_and_leaves_a_given_name_alone(copy: CopiedCheckout, database_url: str) -> None:
    alembic = ("-m", "alembic", "-x", f"url={database_url}", "revision")
    for arguments in (["--autogenerate", "-m", "Compared"], ["-m", "By hand"], ["--rev-id", "9000", "-m", "Named"]):
        done = copy.python(*alembic, *arguments)
        assert done.returncode == 0, done.stderr
    assert written(copy) == [f"{NEXT}_compared.py", f"{next_number([NEXT])}_by_hand.py", "9000_named.py"]
