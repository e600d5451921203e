"""The how-to, followed as it stands on the page: in a copy of the checkout, which then answers with a note."""

import json
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from unittest.mock import ANY

import pytest

from tests.support.copied_checkout import ROOT, CopiedCheckout
from tests.support.domain_setup import BOB
from tests.support.page_steps import Changes, Code, Command, steps
from tests.support.refusals import code_in

PAGE = ROOT / "docs" / "howto.md"
INTRODUCTION, *SECTIONS = PAGE.read_text().split("\n## ")
# The copy's own tests of what the page changes: those of the example, and those that hold a whole list to the code.
FILES = (
    "tests/permissions/who_sees_what",
    "tests/migrations",
    "tests/tables/test_catalog.py",
    "tests/calls/test_refusals.py",
    "tests/calls/test_graphql.py",
    "tests/trials/test_killed.py",
    "tests/test_docs.py",
)
CONCERNED = (
    "call_notes or write_note or writeNote or fits_the_database or tracked or is_included or writes_that_a_role or columns_that_a_role"
    " or other_writes or models_say or checks_are_named or down_leaves_nothing or has_a_comment or has_an_index or names_every_action"
    " or point_is_left_out or kind_of_event"
)
RINGS = 'mutation ($bob: uuid!) { initiateCall(input: { type: "audio", targetUserIds: [$bob] }) { callId } }'
SEES = "{ nchat_call_notes { content length author { username } call { call_notes { content } } } }"
WRITES = """mutation ($call: uuid!) {
    writeNote(input: { callId: $call, content: "Ask Bob" }) { note { content length author { username } } }
}"""
TOLD = 'query ($call: uuid!) { nchat_call_events(where: { call_id: { _eq: $call }, kind: { _eq: "note_written" } }) { kind payload } }'


def went_well(process: "subprocess.CompletedProcess[str]") -> None:
    """AssertionError with all that it said, unless it did."""
    assert process.returncode == 0, process.stdout + process.stderr


@dataclass(slots=True)
class Service:
    """The copy's engine, asked over its input and output."""

    process: "subprocess.Popen[str]"

    @classmethod
    @contextmanager
    def of(cls, copy: CopiedCheckout, url: str) -> Iterator[Self]:
        with copy.start_python("-m", "tests.support.ask", url) as process:
            yield cls(process)
            assert process.stdin is not None
            process.stdin.close()
            assert process.wait(20) == 0

    def ask(self, who: str, query: str, **variables: str) -> Any:
        """The whole response."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps({"who": who, "query": query, "variables": variables}) + "\n")
        return json.loads(self.process.stdout.readline())


def follow(copy: CopiedCheckout, part: str) -> None:
    """Does what a part of the page tells, in its order."""
    for step in steps(part):
        match step:
            case Command():
                went_well(copy.make(*shlex.split(step.arguments)))
            case Code() | Changes():
                step.put_into(copy.root)


@pytest.mark.timeout(300)
def test_who_follows_the_page_has_a_service_that_answers_with_a_note(tmp_path: Path, empty_database_url: str) -> None:
    copy = CopiedCheckout.at(tmp_path)
    copy.remember_types()
    for part in (*SECTIONS, INTRODUCTION):
        follow(copy, part)
    went_well(copy.python("-m", "pytest", "-q", "-p", "no:cacheprovider", *FILES, "-k", CONCERNED))
    with Service.of(copy, empty_database_url) as service:
        call = service.ask("alice", RINGS, bob=str(BOB))["data"]["initiateCall"]["callId"]
        note = {"content": "Ask Bob", "length": 7, "author": {"username": "alice"}}
        assert service.ask("alice", WRITES, call=call) == {"data": {"writeNote": {"note": note}}}
        assert service.ask("alice", SEES) == {"data": {"nchat_call_notes": [note | {"call": {"call_notes": [{"content": "Ask Bob"}]}}]}}
        for who in ("bob", "mallory"):
            assert service.ask(who, SEES) == {"data": {"nchat_call_notes": []}}
        assert code_in(service.ask("mallory", WRITES, call=call), "mallory writes a note") == "not-found"
        events = service.ask("bob", TOLD, call=call)["data"]["nchat_call_events"]
        assert events == [{"kind": "note_written", "payload": {"length": 7, "participantId": ANY}}]
