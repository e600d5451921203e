"""Metadata in each of its written forms reads as the same thing, and every value knows where it stood."""

import json
from pathlib import Path

import pytest

from permissions.reading import json_nodes, yaml_nodes
from permissions.reading.metadata import MetadataError, load_metadata

BOOK = """table:
  schema: public
  name: book
select_permissions:
  - role: guest
    permission:
      columns: '*'
      filter: {}
"""


def write(root: Path, **files: str) -> Path:
    """Files of a metadata directory; `__` in a name stands for `/`."""
    for name, text in files.items():
        path = root / f"{name.replace('__', '/')}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def source(tables: str) -> str:
    return f"- name: default\n  kind: postgres\n  configuration: {{}}\n  tables: {tables}\n"


INLINE = "\n" + "\n".join(f"    {'- ' if not number else '  '}{line}" for number, line in enumerate(BOOK.splitlines()))


@pytest.mark.parametrize(
    ("databases", "tables", "book"),
    [
        pytest.param('"!include default/tables/tables.yaml"', '- "!include public_book.yaml"', BOOK, id="text_as_the_cli_writes_it"),
        pytest.param("!include default/tables/tables.yaml", "- !include public_book.yaml", BOOK, id="yaml_tag"),
        pytest.param(INLINE, "[]", "", id="inlined"),
    ],
)
def test_a_directory_with_each_form_of_include(tmp_path: Path, databases: str, tables: str, book: str) -> None:
    write(
        tmp_path,
        version="version: 3\n",
        databases__databases=source(databases),
        databases__default__tables__tables=tables,
        databases__default__tables__public_book=book,
        actions="actions:\n  - name: ring\n    definition: {handler: x}\n    permissions: [{role: guest}]\n",
    )
    metadata = load_metadata(tmp_path)
    assert metadata.problems == ()
    assert [(str(table.name), [entry.role for entry in table.permissions]) for table in metadata.tables] == [("book", ["guest"])]
    assert [(action.name, action.roles) for action in metadata.actions] == [("ring", ("guest",))]
    if book:
        assert str(metadata.tables[0].permissions[0].position).endswith("databases/default/tables/public_book.yaml:5")


def test_a_directory_of_format_2(tmp_path: Path) -> None:
    tables = "- table: book\n- table: {schema: other, name: shelf}\n  is_odd: true\n"
    write(tmp_path, version="version: 2\n", tables=tables, functions="- function: search\n")
    metadata = load_metadata(tmp_path)
    assert [str(table.name) for table in metadata.tables] == ["book", "other.shelf"]
    assert [str(function.name) for function in metadata.functions] == ["search"]
    # What stands below is looked at as in any source.
    assert [problem.sentence for problem in metadata.problems] == ["A table has no key `is_odd`; it is ignored."]
    assert metadata.unused == ()


@pytest.mark.parametrize("wrap", [lambda document: document, lambda document: {"resource_version": 7, "metadata": document}])
@pytest.mark.parametrize("version", [2, 3])
def test_a_single_document(tmp_path: Path, version: int, wrap: object) -> None:
    tables = [{"table": {"schema": "public", "name": "book"}}]
    document = (
        {"version": 3, "sources": [{"name": "a", "kind": "postgres", "tables": tables}]}
        if version == 3
        else {"version": 2, "tables": tables}
    )
    path = tmp_path / "metadata.json"
    path.write_text(json.dumps(wrap(document)))  # type: ignore[operator]
    metadata = load_metadata(path)
    assert [str(table.name) for table in metadata.tables] == ["book"]
    assert metadata.unused == ()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"),
        ("no", "no"),
        ("2024-01-01", "2024-01-01"),
        ("12:30", "12:30"),
        ("1_000", "1_000"),
        ("true", True),
        ("'true'", "true"),
        ("~", None),
        ("-7", -7),
        ("1.5e3", 1500.0),
        ("X-Hasura-User-Id", "X-Hasura-User-Id"),
        ("{a: &x [1], b: *x}", {"a": [1], "b": [1]}),
        ("{a: &x {n: 1, m: 1}, b: {<<: *x, m: 2}}", {"a": {"n": 1, "m": 1}, "b": {"n": 1, "m": 2}}),
    ],
)
def test_yaml_scalars_are_those_of_the_core_schema(text: str, value: object) -> None:
    found = yaml_nodes.parse_yaml(text, "x.yaml").plain()
    assert found == value and type(found) is type(value)


def test_positions_of_json_name_line_and_column() -> None:
    node = json_nodes.parse_json('{"a": 1,\n "b": [true, {"c": "ü\\n"}]}', "x.json")
    inner = node.mapping("it")["b"].items("it")[1]
    assert node.plain() == {"a": 1, "b": [True, {"c": "ü\n"}]}
    assert str(inner.position) == "x.json:2:14"
    assert str(inner.mapping("it")["c"].position) == "x.json:2:20"


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"version": "version: 3"}, "This is no metadata directory"),
        ({"databases__databases": source("[")}, "databases/databases.yaml:5: This is not YAML"),
        ({"databases__databases": source('"!include away.yaml"')}, "databases/databases.yaml:4: There is no file"),
        ({"databases__databases": '"!include databases.yaml"'}, "databases/databases.yaml:1: databases.yaml includes itself."),
        ({"databases__databases": "- name: a\n  kind: postgres\n  kind: mssql\n"}, "databases.yaml:3: The key `kind` stands twice"),
        ({"databases__databases": "- &a [*a]\n"}, "An alias must not contain itself."),
    ],
)
def test_a_directory_that_cannot_be_read(tmp_path: Path, files: dict[str, str], sentence: str) -> None:
    with pytest.raises(MetadataError) as refused:
        load_metadata(write(tmp_path, **files))
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("text", "sentence"), [('{"a": 1,}', "1:9: This is not JSON"), ('{"a": 1, "a": 2}', "1:15: The key `a` stands twice")]
)
def test_a_json_document_that_cannot_be_read(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "metadata.json"
    path.write_text(text)
    with pytest.raises(MetadataError) as refused:
        load_metadata(path)
    assert sentence in str(refused.value)


def test_a_path_where_nothing_is(tmp_path: Path) -> None:
    with pytest.raises(MetadataError, match="can't be read"):
        load_metadata(tmp_path / "metadata.yaml")
