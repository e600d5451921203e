"""What is called as something that the engine generates is left out and told; everything else is served."""

from pathlib import Path

import pytest

from schema.model import PgType, TableName
from tests.permissions.test_graphql_names import INT, served


@pytest.mark.parametrize("name", ["Int_comparison_exp", "uuid_array_comparison_exp", "cursor_ordering", "foo_inc_input", "query_root"])
def test_a_table_called_like_a_generated_type(tmp_path: Path, name: str) -> None:
    columns = {"id": INT, "keys": PgType("uuid", is_array=True)}
    resolved = served(tmp_path, {"foo": columns, name: columns}, f"  - table: foo\n  - table: {name}\n")
    assert [table.name.name for table in resolved.catalog] == ["foo"]
    assert "would bring a second GraphQL type" in resolved.problems[0].sentence


@pytest.mark.parametrize("name", ["order_by", "query_root", "foo_bool_exp", "Int_comparison_exp", "cursor_ordering"])
def test_an_enum_type_called_like_a_generated_type(tmp_path: Path, name: str) -> None:
    mood = PgType(name, is_enum=True, schema="e", labels=("a",))
    resolved = served(tmp_path, {"foo": {"id": INT, "mood": mood}}, "  - table: foo\n")
    assert set(resolved.catalog[TableName("public", "foo")].columns) == {"id"}
    assert f"would be {name}, as something else is called" in resolved.problems[0].sentence
