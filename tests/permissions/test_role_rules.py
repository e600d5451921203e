"""What a permission of the metadata grants: columns, presets, limits, and the tree of its rule."""

from pathlib import Path

from permissions.expressions import FALSE, TRUE, And, Compare, CompareColumns, Constant, Exists, Not, Or, Related, SessionVariable
from permissions.reading.metadata import load_metadata
from permissions.resolving.resolve import resolve
from permissions.rules import DeleteRule, InsertRule, RoleRules, SelectRule, UpdateRule
from schema.model import TableName
from tests.permissions import library

AUTHOR, BOOK = TableName("public", "author"), TableName("public", "book")
HEAD = """
version: 3
actions:
- {name: lend, definition: {}, permissions: [{role: guest}, {role: member}]}
- {name: burn, definition: {}}
sources:
- name: default
  kind: postgres
  tables:
  - table: author
  - table: book
    object_relationships: [{name: author, using: {foreign_key_constraint_on: author_id}}]
    computed_fields: [{name: label, definition: {function: label}}]
"""


def rules(directory: Path, permissions: str, role: str = "guest") -> RoleRules:
    path = directory / "metadata.yaml"
    path.write_text(HEAD + permissions)
    return resolve(load_metadata(path), library.metadata, library.functions, strict=True).rules(role)


def rule(directory: Path, text: str) -> object:
    found = rules(directory, f"    delete_permissions: [{{role: guest, permission: {{filter: {text}}}}}]\n")
    return found.delete[BOOK].filter


def test_select(tmp_path: Path) -> None:
    found = rules(
        tmp_path,
        "    select_permissions: [{role: guest, permission: {columns: [id, title], filter: {}, limit: 5, allow_aggregations: true, "
        "computed_fields: [label], query_root_fields: [select], subscription_root_fields: []}}]\n",
    )
    assert found.select == {
        BOOK: SelectRule(
            frozenset({"id", "title"}),
            TRUE,
            limit=5,
            allow_aggregations=True,
            computed_fields=frozenset({"label"}),
            query_root_fields=frozenset({"select"}),
            subscription_root_fields=frozenset(),
        )
    }
    assert not (found.insert or found.update or found.delete)


def test_a_star_is_every_column_but_no_computed_field(tmp_path: Path) -> None:
    found = rules(tmp_path, "    select_permissions: [{role: guest, permission: {columns: '*', filter: {}}}]\n").select[BOOK]
    # A column whose name GraphQL can't write is no part of the API.
    assert found.columns == {column.name for column in library.book.columns} - {"odd name"}
    assert found.computed_fields == frozenset()


def test_insert_without_columns_takes_all_but_presets_and_generated_ones(tmp_path: Path) -> None:
    found = rules(
        tmp_path,
        "    insert_permissions: [{role: guest, permission: {check: {}, set: {author_id: x-Hasura-Me, pages: 1}, backend_only: true}}]\n",
    ).insert[BOOK]
    assert found == InsertRule(
        frozenset({"id", "title", "stock", "tags", "info", "raw", "binding", "printed_at", "price"}),
        TRUE,
        {"author_id": SessionVariable("x-hasura-me"), "pages": Constant(1)},
        backend_only=True,
    )


def test_update_and_delete(tmp_path: Path) -> None:
    found = rules(
        tmp_path,
        "    update_permissions: [{role: guest, permission: {columns: [title], filter: {pages: 1}, check: null}}]\n"
        "    delete_permissions: [{role: guest, permission: {filter: {}}}]\n",
    )
    assert found.update == {BOOK: UpdateRule(frozenset({"title"}), Compare("pages", "_eq", Constant(1)))}
    assert found.delete == {BOOK: DeleteRule(TRUE)}


def test_actions_are_granted_by_name(tmp_path: Path) -> None:
    assert rules(tmp_path, "", "guest") == RoleRules("guest", actions=frozenset({"lend"}))
    assert rules(tmp_path, "", "admin").actions == {"lend", "burn"}
    assert rules(tmp_path, "", "stranger").actions == frozenset()


def test_rules_read_as_trees(tmp_path: Path) -> None:
    me = SessionVariable("x-hasura-me")
    one, two = Compare("pages", "_eq", Constant(1)), Compare("pages", "_neq", Constant(2))
    assert rule(tmp_path, "{}") == rule(tmp_path, "{pages: {}}") == rule(tmp_path, "{_and: []}") == TRUE
    assert rule(tmp_path, "{_or: []}") == FALSE
    assert rule(tmp_path, "{_not: {}}") == Not(TRUE)
    assert rule(tmp_path, "{pages: {_eq: 1, $ne: 2}}") == And((one, two))
    assert rule(tmp_path, "{$or: [{pages: 1}, {pages: {_ne: 2}}]}") == Or((one, two))
    assert rule(tmp_path, "{_or: [{}, {pages: 1}]}") == Or((TRUE, one))
    assert rule(tmp_path, "{author: {id: X-HASURA-ME}}") == Related("author", Compare("id", "_eq", me))
    assert rule(tmp_path, "{pages: {_in: [1, 2]}}") == Compare("pages", "_in", Constant([1, 2]))
    assert rule(tmp_path, "{pages: {_in: X-Hasura-Me}}") == Compare("pages", "_in", me)
    assert rule(tmp_path, "{title: {_nin: [X-Hasura-Me, REQ_USER_ID]}}") == Compare(
        "title", "_nin", Constant(["X-Hasura-Me", "REQ_USER_ID"])
    )
    assert rule(tmp_path, "{title: REQ_USER_ID}") == Compare("title", "_eq", SessionVariable("x-hasura-user-id"))
    assert rule(tmp_path, "{title: X-Hasura-User.Id}") == Compare("title", "_eq", SessionVariable("x-hasura-user.id"))
    assert rule(tmp_path, "{author: {id: {_ceq: [$, pages]}}}") == Related("author", CompareColumns("id", "_ceq", "pages", of_root=True))
    assert rule(tmp_path, "{_exists: {_table: author, _where: {id: 1}}}") == Exists(AUTHOR, Compare("id", "_eq", Constant(1)))


def test_presets_of_the_session(tmp_path: Path) -> None:
    """As in a rule: Hasura's `isSessionVariable` and `isReqUserId` decide on both."""
    for text, variable in (("X-Hasura-Org.Name", "x-hasura-org.name"), ("REQ_USER_ID", "x-hasura-user-id")):
        found = rules(tmp_path, f"    insert_permissions: [{{role: guest, permission: {{check: {{}}, set: {{title: {text}}}}}}}]\n")
        assert found.insert[BOOK].presets == {"title": SessionVariable(variable)}
    found = rules(tmp_path, "    insert_permissions: [{role: guest, permission: {check: {}, set: {tags: [X-Hasura-Org, REQ_USER_ID]}}}]\n")
    assert found.insert[BOOK].presets == {"tags": Constant(["X-Hasura-Org", "REQ_USER_ID"])}
