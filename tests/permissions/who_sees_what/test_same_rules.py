"""A moderator may do what a user may: the same rules, written twice until roles can be inherited (decision 21)."""

from typing import Any

import pytest
import yaml

from tests.permissions.who_sees_what.conftest import METADATA

TABLES = {file.stem: yaml.safe_load(file.read_text()) for file in (METADATA / "databases" / "default" / "tables").glob("public_*.yaml")}
ACTIONS = yaml.safe_load((METADATA / "actions.yaml").read_text())["actions"]
# Where a moderator sees more: every stream, and what belongs to it. Nowhere does one write more.
SEES_MORE = {
    "public_nchat_call_recording_parts",
    "public_nchat_call_recordings",
    "public_nchat_stream_bans",
    "public_nchat_stream_chat",
    "public_nchat_stream_reactions",
    "public_nchat_streams",
}


def rules(table: str, operation: str, role: str) -> dict[str, Any] | None:
    entries = TABLES[table].get(f"{operation}_permissions", [])
    return next((entry["permission"] for entry in entries if entry["role"] == role), None)


@pytest.mark.parametrize("operation", ["select", "insert", "update", "delete"])
@pytest.mark.parametrize("table", sorted(TABLES))
def test_a_moderator_has_the_rule_of_a_user(table: str, operation: str) -> None:
    of_user, of_moderator = rules(table, operation, "user"), rules(table, operation, "moderator")
    if operation == "select" and table in SEES_MORE:
        assert of_moderator is not None
        assert of_moderator != of_user, f"{table} is the same for both now: take it out of SEES_MORE"
    else:
        assert of_moderator == of_user, f"{operation} on {table} differs; if that is meant, say so in SEES_MORE and in decision 21"


@pytest.mark.parametrize("table", sorted(SEES_MORE))
def test_who_sees_more_rows_sees_the_same_columns(table: str) -> None:
    """Otherwise cells would be null once the role is inherited."""
    of_user, of_moderator = rules(table, "select", "user"), rules(table, "select", "moderator")
    assert of_user is not None and of_moderator is not None
    assert of_moderator["columns"] == of_user["columns"]
    assert of_moderator.get("computed_fields") == of_user.get("computed_fields")


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: str(action["name"]))
def test_an_action_is_for_both(action: dict[str, Any]) -> None:
    roles = {entry["role"] for entry in action["permissions"]}
    assert ("user" in roles) == ("moderator" in roles)
