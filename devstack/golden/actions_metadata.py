"""Writes the actions' part of the product's metadata: `python -m devstack.golden.actions_metadata` after an action has changed.

Types and names come from the Strawberry types. Who may call an action is written in `actions.yaml` by hand and kept; a new one
is for admin alone until a role is added there.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
import yaml

import resolvers.actions
from permissions.reading.metadata import load_metadata
from permissions.resolving.tracked_tables import track_tables
from resolvers.hand_written.action_fields import scan
from resolvers.hand_written.action_metadata import action_document, action_sdl
from schema.model import Catalog
from schema.tables import metadata as tables

METADATA: Final = Path(__file__).parents[2] / "permissions" / "metadata"
HANDLER: Final = "{{NCHAT_ACTIONS_URL}}"
HEADER: Final = "# Written by `make golden` from the types of the actions, all but the permissions: those are kept as they stand here.\n"


def files(directory: Path = METADATA) -> dict[Path, str]:
    """What the two files have to hold."""
    fields = scan(resolvers.actions)
    document = action_document(fields, _catalog(directory), _roles(directory / "actions.yaml"), HANDLER)
    return {
        directory / "actions.graphql": action_sdl(fields),
        directory / "actions.yaml": HEADER + yaml.safe_dump(document, sort_keys=False, width=130),
    }


def _roles(path: Path) -> dict[str, Sequence[str]]:
    document: dict[str, Any] = yaml.safe_load(path.read_text()) if path.exists() else {}
    return {action["name"]: [entry["role"] for entry in action.get("permissions", ())] for action in document.get("actions", ())}


def _catalog(directory: Path) -> Catalog:
    """Keys and names are all that is needed, so the models serve without a database."""
    database: sa.MetaData = tables
    catalog, _ = track_tables(load_metadata(directory), database, ())
    return catalog


if __name__ == "__main__":
    for path, text in files().items():
        path.write_text(text)
