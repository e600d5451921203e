"""Each fault of the metadata is told with file, line and a remedy; what is broken is left out, and what needs it too."""

from pathlib import Path

import pytest

from permissions.reading.metadata import MetadataError, load_metadata
from permissions.resolving.resolve import Resolved, resolve
from permissions.rules import RoleRules
from schema.model import TableName
from tests.permissions import library
from tests.support.log_lines import LogLines

BOOK = TableName("public", "book")
HEAD = "version: 3\nsources:\n- name: default\n  kind: postgres\n  tables:\n  - table: author\n  - table: book\n"


def resolved(directory: Path, text: str, *, strict: bool = False) -> Resolved:
    path = directory / "metadata.yaml"
    path.write_text(text)
    return resolve(load_metadata(path), library.metadata, library.functions, strict=strict)


def problems(directory: Path, text: str) -> list[str]:
    """As they are shown, without the directory."""
    return [str(problem).replace(f"{directory}/", "") for problem in resolved(directory, text).problems]


def permission(body: str, action: str = "select") -> str:
    return HEAD + f"    {action}_permissions:\n    - role: guest\n      permission:\n        {body}\n"


def rule(text: str) -> str:
    return permission(f"columns: [id]\n        filter: {text}")


RULES = [
    ("{titel: {_eq: a}}", "book has no column or relationship titel; did you mean title?"),
    ("{pages: {_equal: 1}}", "Unknown operator: _equal; did you mean _eq?"),
    ("{pages: {_eq: many}}", '"many" is no int4.'),
    ("{pages: {_eq: 3000000000}}", "3000000000 is no int4."),
    ("{pages: {_eq: true}}", "true is no int4."),
    ("{price: {_gt: cheap}}", '"cheap" is no numeric.'),
    ("{id: {_eq: '1'}}", '"1" is no uuid.'),
    ("{binding: {_eq: paper}}", '"paper" is no binding (hard, soft).'),
    ("{pages: {_in: 1}}", "`_in` takes a list, or a session variable that holds one."),
    ("{pages: {_in: [1, two]}}", '"two" is no int4.'),
    ("{pages: {_is_null: 1}}", "`_is_null` has to be true or false."),
    ("{pages: {_like: '1%'}}", "_like can't be used on pages, which is of type int4."),
    ("{raw: {_eq: {}}}", "_eq can't be used on raw, which is of type json."),
    ("{tags: {_in: [1]}}", "1 is no list."),
    ("{title: {_has_key: a}}", "_has_key can't be used on title, which is of type varchar."),
    ("{pages: {_in: [X-Hasura-Pages, 2]}}", '"X-Hasura-Pages" is no int4.'),
    ("{pages: {_ceq: stock}}", "`_ceq` compares columns of one type, but pages is of type int4, stock of type int8."),
    ("{pages: {_ceq: page}}", "book has no column page; did you mean pages?"),
    ("{pages: {_ceq: [author, id]}}", "`_ceq` takes a column, or [$, column] for a column of the rule's own table."),
    (
        "{title: {_eq: X_Hasura_User_Id}}",
        "'X_Hasura_User_Id' looks like a session variable, but isn't one; write it like X-Hasura-User-Id.",
    ),
    ("{title: '{{X-Hasura-Name}}'}", "'{{X-Hasura-Name}}' looks like a session variable, but isn't one; write it like X-Hasura-User-Id."),
    ("{_and: ~}", "`_and` has to be a list of boolean expressions."),
    ("{_or: {pages: 1}}", "`_or` has to be a list."),
    ("{_not: [pages]}", "A boolean expression has to be a mapping."),
    ("{author: {}}", "book has no column or relationship author; did you mean author_id?"),
    ("{_exists: {_table: shelf, _where: {}}}", "The table shelf is not tracked; track it, or choose another one."),
    ("{_exists: {_table: book}}", "`_exists` needs `_table` and `_where`."),
]


@pytest.mark.parametrize(("text", "sentence"), RULES, ids=[text for text, _ in RULES])
def test_a_wrong_rule(tmp_path: Path, text: str, sentence: str) -> None:
    assert problems(tmp_path, rule(text)) == [f"metadata.yaml:12: The select permission of guest on book: {sentence}"]
    assert resolved(tmp_path, rule(text)).rules("guest") == RoleRules("guest")


PERMISSIONS = [
    ("select", "columns: [id]", 10, "The select permission of guest needs `filter`."),
    ("select", "columns: [id]\n        filter:", 10, "The select permission of guest needs `filter`."),
    ("select", "filter: {}", 10, "The select permission of guest needs `columns`."),
    ("select", "columns: [id, titel]\n        filter: {}", 11, "{} book has no column titel; did you mean title?"),
    (
        "select",
        "{columns: [id], filter: {}, limt: 1}",
        11,
        "The select permission of guest has no key `limt`; it takes allow_aggregations,",
    ),
    ("select", "{columns: [id], filter: {}, limit: many}", 11, "`limit` has to be a number of rows, zero or more."),
    ("select", "{columns: [id], filter: {}, computed_fields: [lable]}", 11, "{} book has no computed field lable."),
    (
        "select",
        "{columns: [id], filter: {}, query_root_fields: [by_pk]}",
        11,
        "`query_root_fields` takes select, select_aggregate, select_by_pk",
    ),
    ("insert", "columns: '*'", 10, "The insert permission of guest needs `check`."),
    ("insert", "{check: {}, set: {titel: a}}", 11, "{} book has no column titel to set; did you mean title?"),
    ("insert", "{check: {}, set: {pages: few}}", 11, '{} "few" is no int4.'),
    ("insert", "{check: {}, set: {double_pages: 2}}", 11, "{} book has no column double_pages to set"),
    ("insert", "{check: {}, validate_input: {type: http}}", 10, "asks for `validate_input`, which is not supported"),
    ("update", "columns: [pages]", 10, "The update permission of guest needs `filter`."),
    ("delete", "backend_only: true", 10, "The delete permission of guest needs `filter`."),
    ("delete", "{filter: {}, backend_only: maybe}", 11, "`backend_only` has to be true or false."),
]


@pytest.mark.parametrize(("action", "body", "line", "sentence"), PERMISSIONS)
def test_a_wrong_permission(tmp_path: Path, action: str, body: str, line: int, sentence: str) -> None:
    [problem] = problems(tmp_path, permission(body, action))
    assert problem.startswith(f"metadata.yaml:{line}: ")
    assert sentence.format(f"The {action} permission of guest on book:") in problem
    assert resolved(tmp_path, permission(body, action)).rules("guest") == RoleRules("guest")


TABLES = [
    ("  - table: shelf\n", "There is no table shelf in the database; create it or stop tracking it."),
    ("  - table: book\n", "The table book is tracked twice; keep one entry."),
    ("  - {}\n", "A tracked table needs `table`."),
    ("  - table: {schema: shop, name: price_list}\n    configuration: {custom_name: book}\n", "Two tables are called book in GraphQL"),
    ("  - table: {schema: shop, name: price_list}\n    configuration: {custom_name: price-list}\n", "price-list can't be a GraphQL name"),
    (
        "    configuration: {column_config: {titel: {custom_name: a}}}\n",
        "`column_config` names titel, which is no column of book; remove it.",
    ),
    ("    object_relationships: [{name: a, using: {foreign_key_constraint_on: author}}]\n", "Relationship a: book has no column author."),
    (
        "    object_relationships: [{name: a, using: {foreign_key_constraint_on: pages}}]\n",
        "Relationship a: there is no foreign key of book on pages",
    ),
    ("    object_relationships: [{name: title, using: {foreign_key_constraint_on: author_id}}]\n", "book has a field title already"),
    (
        "    array_relationships: [{name: a, using: {foreign_key_constraint_on: {table: shelf, column: book_id}}}]\n",
        "Relationship a: its target shelf is not tracked; track it or remove the relationship.",
    ),
    (
        "    array_relationships: [{name: a, using: {manual_configuration: {remote_table: author, column_mapping: {author_id: key}}}}]\n",
        "Relationship a: author has no column key.",
    ),
    ("    computed_fields: [{name: a, definition: {function: lable}}]\n", "Computed field a: there is no function lable in the database."),
    (
        "    computed_fields: [{name: a, definition: {function: of_author}}]\n",
        "Computed field a: No function of_author takes a row of book",
    ),
    ("    computed_fields: [{name: a, definition: {function: shuffle}}]\n", "Computed field a: shuffle is VOLATILE; declare it STABLE"),
    ("    computed_fields: [{name: a, definition: {function: copies}}]\n", "Computed field a: copies returns rows"),
    (
        "    computed_fields: [{name: a, definition: {function: label, session_argument: s}}]\n",
        "label has no argument s of type json or jsonb",
    ),
    ("    select_permission: []\n", "A table has no key `select_permission`; it is ignored."),
    ("    event_triggers: [{name: a}]\n", "`event_triggers` of book is not supported yet; it is ignored."),
]


@pytest.mark.parametrize(("text", "sentence"), TABLES)
def test_a_wrong_table_relationship_or_field(tmp_path: Path, text: str, sentence: str) -> None:
    [problem] = problems(tmp_path, HEAD + text)
    assert problem.startswith("metadata.yaml:8: ")
    assert sentence in problem
    served = resolved(tmp_path, HEAD + text).catalog
    assert {str(name) for name in served.tables} == {"author", "book"}
    assert served[BOOK].relationships == {} and served[BOOK].computed_fields == {}


OTHER = [
    (HEAD + "inherited_roles:\n- role_name: a\n  role_set: [b]\n", "has the parent b, which no permission names"),
    (HEAD + "inherited_roles:\n- role_name: a\n", "The inherited role a needs `role_set`"),
    (HEAD + "inherited_roles:\n- role_name: admin\n  role_set: [b]\n", "it can't inherit"),
    (
        HEAD + "- name: second\n  kind: mssql\n  tables: []\n",
        "Only one PostgreSQL source is served; this one, second (mssql), is left out.",
    ),
    (
        HEAD + "  customization: {naming_convention: snake}\n",
        "`naming_convention` is one of hasura-default, graphql-default, not snake",
    ),
    (HEAD + "  customization: {type_names: {mapping: {}}}\n", "`type_names` of a source's `customization` has no key `mapping`"),
    (HEAD + "  customization: {root_fields: {namespace: my-shop}}\n", "The `namespace` my-shop can't be a GraphQL name"),
    (HEAD + "  customization: {root_field: {}}\n", "A source's `customization` has no key `root_field`"),
    (HEAD + "actions:\n- definition: {}\n", "An action needs `name`."),
    (permission("{columns: [id], filter: {}}").replace("guest", "admin"), "The role admin has every permission already; remove this one."),
]


@pytest.mark.parametrize(("text", "sentence"), OTHER)
def test_what_is_not_served(tmp_path: Path, text: str, sentence: str) -> None:
    [problem] = problems(tmp_path, text)
    assert sentence in problem


def test_roles_that_inherit_from_each_other_in_a_circle_are_never_served(tmp_path: Path) -> None:
    with pytest.raises(MetadataError, match=r'metadata.yaml:9: found cycle\(s\) in roles: \["a","b","a"\]'):
        resolved(tmp_path, HEAD + "inherited_roles:\n- {role_name: a, role_set: [b]}\n- {role_name: b, role_set: [a]}\n")


def test_a_role_that_inherits_from_nobody_known_is_left_out_and_its_heirs_too(tmp_path: Path) -> None:
    heirs = "inherited_roles:\n- {role_name: member, role_set: [lost]}\n- {role_name: heir, role_set: [guest, member]}\n"
    text = permission("{columns: [id], filter: {}}") + permission("{columns: [id], filter: {}}").split("select_permissions:\n")[1].replace(
        "guest", "member"
    )
    served = resolved(tmp_path, text + heirs)
    assert BOOK in served.rules("guest").select
    assert served.rules("member").select == {} and served.rules("heir").select == {}
    assert len(served.problems) == 2


def test_of_two_permissions_for_one_role_none_is_taken(tmp_path: Path) -> None:
    twice = permission("{columns: [id], filter: {}}") + "    - role: guest\n      permission: {columns: '*', filter: {pages: 1}}\n"
    assert problems(tmp_path, twice) == ["metadata.yaml:12: The role guest has two select permissions here; keep one."]
    assert resolved(tmp_path, twice).rules("guest").select == {}


def test_every_problem_of_a_rule_is_told_at_once(tmp_path: Path) -> None:
    wrong = rule("{_or: [{titel: 1}, {pages: {_in: 1, _lt: x}}]}")
    assert len(problems(tmp_path, wrong)) == 3


def test_strict_refuses_with_all_problems_and_logs_nothing(tmp_path: Path, log_lines: LogLines) -> None:
    with pytest.raises(MetadataError) as refused:
        resolved(tmp_path, rule("{titel: 1, pages: {_lt: x}}"), strict=True)
    assert len(refused.value.problems) == 2
    assert log_lines == []


def test_otherwise_problems_are_logged_and_the_rest_is_served(tmp_path: Path, log_lines: LogLines) -> None:
    mixed = rule("{titel: 1}") + "    - role: member\n      permission: {columns: '*', filter: {}}\n"
    served = resolved(tmp_path, mixed)
    assert ["metadata.yaml:12" in line["problem"] for line in log_lines] == [True]
    assert served.rules("guest").select == {} and BOOK in served.rules("member").select


def test_a_permission_that_needs_a_broken_relationship_is_left_out(tmp_path: Path) -> None:
    broken = HEAD + "    object_relationships: [{name: writer, using: {foreign_key_constraint_on: pages}}]\n"
    text = permission("{columns: [id], filter: {writer: {name: a}}}").replace(HEAD, broken)
    assert len(problems(tmp_path, text)) == 2
    assert resolved(tmp_path, text).rules("guest").select == {}


def test_what_looks_like_a_variable_in_a_list_is_told(tmp_path: Path, log_lines: LogLines) -> None:
    """It is a literal, as in Hasura: a rule that means something else must not be served in silence."""
    text = rule("{_or: [{title: {_nin: [X-Hasura-Title, other]}}, {title: {_in: [a]}}]}")
    resolved(tmp_path, text)
    told = "`X-Hasura-Title` stands in a list, where it is a text and no session variable; name one variable in place of the list."
    assert [line["problem"] for line in log_lines if line["event"] == "metadata_without_effect"] == [f"{tmp_path}/metadata.yaml:12: {told}"]
