"""Every key of Hasura's metadata is used, or told at the start: the keys are those of its metadata types for version 3."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from permissions.reading.metadata import MetadataError, load_metadata

SOURCE: tuple[str | int, ...] = ("sources", 0)
TABLE = (*SOURCE, "tables", 0)
DOCUMENT: dict[str, Any] = {
    "version": 3,
    "sources": [
        {
            "name": "default",
            "kind": "postgres",
            "tables": [
                {
                    "table": {"schema": "public", "name": "book"},
                    "configuration": {},
                    "object_relationships": [{"name": "author", "using": {"foreign_key_constraint_on": "author_id"}}],
                    "array_relationships": [
                        {"name": "m", "using": {"manual_configuration": {"remote_table": "x", "column_mapping": {"a": "b"}}}}
                    ],
                    "computed_fields": [{"name": "c", "definition": {"function": "f"}}],
                    "select_permissions": [{"role": "a", "permission": {"columns": [], "filter": {}}}],
                    "insert_permissions": [{"role": "a", "permission": {"columns": [], "check": {}}}],
                    "update_permissions": [{"role": "a", "permission": {"columns": [], "filter": {}}}],
                    "delete_permissions": [{"role": "a", "permission": {"filter": {}}}],
                }
            ],
            "customization": {},
        }
    ],
    "actions": [{"name": "login"}],
    "graphql_schema_introspection": {},
    "api_limits": {"depth_limit": {"global": 1}},
    "query_collections": [{"name": "c", "definition": {"queries": [{"name": "q", "query": "{ a }"}]}}],
    "allowlist": [{"collection": "c"}],
}
# Of each place: the keys that something is made of, and those that are only told of.
KEYS: dict[tuple[str | int, ...], tuple[str, str]] = {
    (): (
        "version sources actions inherited_roles graphql_schema_introspection api_limits query_collections allowlist",
        "custom_types remote_schemas cron_triggers rest_endpoints network metrics_config opentelemetry backend_configs",
    ),
    ("graphql_schema_introspection",): ("disabled_for_roles", "disabled_for_role"),
    ("api_limits",): ("disabled depth_limit node_limit time_limit batch_limit rate_limit", "depth_limt"),
    ("api_limits", "depth_limit"): ("global per_role state", "per_rol"),
    ("query_collections", 0): ("name definition comment", "nme"),
    ("query_collections", 0, "definition", "queries", 0): ("name query", "qery"),
    ("allowlist", 0): ("collection scope", "collecton"),
    SOURCE: (
        "name kind tables customization",
        "configuration functions native_queries logical_models stored_procedures function_tables query_tags health_check",
    ),
    (*SOURCE, "customization"): ("root_fields type_names naming_convention", "mapping"),
    TABLE: (
        "table configuration object_relationships array_relationships computed_fields select_permissions insert_permissions "
        "update_permissions delete_permissions",
        "remote_relationships event_triggers is_enum apollo_federation_config logical_model",
    ),
    (*TABLE, "configuration"): ("custom_name custom_root_fields column_config custom_column_names comment", "custom_nme"),
    (*TABLE, "object_relationships", 0): ("name using comment", "nme"),
    (*TABLE, "array_relationships", 0, "using", "manual_configuration"): ("remote_table column_mapping insertion_order", "source"),
    (*TABLE, "computed_fields", 0): ("name definition comment", "nme"),
    (*TABLE, "computed_fields", 0, "definition"): ("function table_argument session_argument", "argument"),
    # These refuse what they don't know: a misspelt key must not widen a permission.
    (*TABLE, "select_permissions", 0): ("role permission comment", "rol"),
    (*TABLE, "select_permissions", 0, "permission"): (
        "columns filter limit allow_aggregations computed_fields query_root_fields subscription_root_fields",
        "validate_input colums",
    ),
    (*TABLE, "insert_permissions", 0, "permission"): ("columns check set backend_only", "validate_input filter computed_fields"),
    (*TABLE, "update_permissions", 0, "permission"): ("columns filter check set backend_only", "validate_input limit"),
    (*TABLE, "delete_permissions", 0, "permission"): ("filter backend_only", "validate_input columns"),
    ("actions", 0): ("name permissions", "definition comment"),
}
LISTS = frozenset(
    {"remote_schemas", "cron_triggers", "rest_endpoints", "functions", "native_queries", "logical_models", "stored_procedures"}
)
TOLD = [(place, key) for place, (_, told) in KEYS.items() for key in told.split()]
USED = [(place, key) for place, (used, _) in KEYS.items() for key in used.split()]


def sentences(folder: Path, place: tuple[str | int, ...], key: str, value: Any) -> list[str]:
    """What is told of the document with this one key more."""
    document = deepcopy(DOCUMENT)
    part: Any = document
    for step in place:
        part = part[step]
    part.setdefault(key, value)
    file = folder / "metadata.json"
    file.write_text(json.dumps(document, indent=1))
    try:
        metadata = load_metadata(file)
    except MetadataError as error:
        return [str(problem) for problem in error.problems]
    return [str(problem) for problem in (*metadata.problems, *metadata.unused)]


@pytest.mark.parametrize(("place", "key"), TOLD)
def test_what_has_no_effect_is_told_with_its_line(tmp_path: Path, place: tuple[str | int, ...], key: str) -> None:
    value: Any = [{"name": "x"}] if key in LISTS else {"x": 1}
    assert sentences(tmp_path, (), "version", 3) == []
    told = sentences(tmp_path, place, key, value)
    assert told, f"{key} of {place} is ignored in silence"
    assert all(key_line(sentence) for sentence in told)


def key_line(told: str) -> bool:
    """Whether it begins with a file and a line."""
    return told.split(": ")[0].split("metadata.json:")[-1].split(":")[0].isdigit()


@pytest.mark.parametrize(("place", "key"), USED)
def test_what_is_used_is_not_told_to_have_no_effect(tmp_path: Path, place: tuple[str | int, ...], key: str) -> None:
    told = sentences(tmp_path, place, key, None)
    assert not [sentence for sentence in told if f"`{key}`" in sentence and "no effect" in sentence]


def test_files_are_told_too(tmp_path: Path) -> None:
    (tmp_path / "databases").mkdir()
    (tmp_path / "databases" / "databases.yaml").write_text(
        "- name: empty\n  kind: postgres\n  tables: []\n- name: full\n  kind: postgres\n  tables:\n  - table: book\n"
    )
    for name, text in {
        "version.yaml": "version: 3\n",
        "api_limits.yaml": "disabled: false\n",
        "backend_configs.yaml": "dataconnector: {}\n",
        "network.yaml": "{}\n",
        "metrics_config.yaml": "analyze_query_variables: true\n",
        "my_notes.yaml": "a: 1\n",
        "actions.graphql": "type Mutation { login: Int }\n",
        "actions.yaml": "actions:\n- name: login\n  definition:\n    handler: x\ncustom_types:\n  objects:\n  - name: a\n",
    }.items():
        (tmp_path / name).write_text(text)
    metadata = load_metadata(tmp_path)
    assert [str(table.name) for table in metadata.tables] == ["book"]
    assert ["empty (postgres)" in problem.sentence for problem in metadata.problems] == [True]
    told = sorted(f"{Path(problem.position.file).name}:{problem.position.line}" for problem in metadata.unused)
    assert told == ["actions.yaml:3", "actions.yaml:5", "backend_configs.yaml:1", "metrics_config.yaml:1", "my_notes.yaml:1"]


def test_a_source_is_picked_by_its_name(tmp_path: Path) -> None:
    document = {"version": 3, "sources": [{"name": name, "kind": "postgres", "tables": [{"table": name}]} for name in ("one", "two")]}
    file = tmp_path / "metadata.json"
    file.write_text(json.dumps(document))
    assert [str(table.name) for table in load_metadata(file).tables] == ["one"]
    assert [str(table.name) for table in load_metadata(file, "two").tables] == ["two"]
    with pytest.raises(MetadataError, match="There is no PostgreSQL source three; there is: one, two"):
        load_metadata(file, "three")
