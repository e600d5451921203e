"""Each check on a tiny world: it is silent while all is there, and names what is missing."""

from typing import Literal

from permissions.expressions import And
from permissions.reading.entries import ActionEntry
from permissions.reading.nodes import Position
from permissions.rules import DeleteRule, RoleRules, SelectRule
from schema.model import Relationship, TableName
from tests.support.completeness import one_way, readable, touchable, unlisted, without_role

CALLS, NOTES = TableName("public", "calls"), TableName("public", "notes")
READER = RoleRules("reader", select={CALLS: SelectRule(frozenset({"id"}), And())})
SWEEPER = RoleRules("sweeper", delete={NOTES: DeleteRule(And())})


def relationship(
    name: str, target: TableName, local: str, remote: str, kind: Literal["object", "array"] = "object"
) -> dict[str, Relationship]:
    return {name: Relationship(name, target, ((local, remote),), kind)}


CALL = relationship("call", CALLS, "call_id", "id")
NOTES_OF_CALL = relationship("notes", NOTES, "id", "call_id", "array")


def test_a_table_that_any_role_reads_or_writes_counts() -> None:
    assert readable(READER, SWEEPER) == {"calls"}
    assert touchable(READER, SWEEPER) == {"calls", "notes"}
    assert readable() == touchable() == set()


def test_what_is_not_listed_is_named_with_the_dictionary_and_the_file() -> None:
    assert unlisted({"calls", "notes"}, {"notes": "", "calls": ""}, "SEES", "tests.rows") == []
    assert unlisted({"calls", "notes"}, {"calls"}, "SEES", "tests.rows") == [
        "notes is unknown to these tests: extend SEES in tests/rows.py"
    ]


def test_a_relationship_with_a_reverse_is_no_one_way() -> None:
    assert one_way({NOTES: CALL, CALLS: NOTES_OF_CALL}) == set()
    replies = relationship("reply_to", NOTES, "reply_to_id", "id") | relationship("replies", NOTES, "id", "reply_to_id", "array")
    assert one_way({NOTES: replies}) == set()


def test_a_relationship_without_a_reverse_is_named_from_either_end() -> None:
    assert one_way({NOTES: CALL, CALLS: {}}) == {"notes.call"}
    assert one_way({NOTES: {}, CALLS: NOTES_OF_CALL}) == {"calls.notes"}


def test_a_way_back_over_other_columns_is_no_reverse() -> None:
    other = relationship("notes", NOTES, "id", "former_call_id", "array")
    assert one_way({NOTES: CALL, CALLS: other}) == {"notes.call", "calls.notes"}
    assert one_way({NOTES: relationship("reply_to", NOTES, "reply_to_id", "id")}) == {"notes.reply_to"}


def test_a_way_back_to_another_table_is_no_reverse() -> None:
    drafts = TableName("public", "drafts")
    assert one_way({NOTES: CALL, CALLS: relationship("notes", drafts, "id", "call_id", "array"), drafts: {}}) == {
        "notes.call",
        "calls.notes",
    }


def test_an_action_needs_a_role() -> None:
    where = Position("actions.yaml", 1)
    allowed, forgotten = ActionEntry("acceptCall", ("user",), where), ActionEntry("writeNote", (), where)
    assert without_role([allowed]) == []
    assert without_role([allowed, forgotten]) == ["writeNote"]
