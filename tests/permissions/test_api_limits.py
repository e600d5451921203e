"""`api_limits` as they are written: a slip of the pen refuses the start, with its line, and is never no limit."""

import json
from pathlib import Path
from typing import Any

import pytest

from permissions.api_limits import ApiLimit, ApiLimits, RateLimit, limit_of
from permissions.reading.metadata import MetadataError, load_metadata
from permissions.reading.nodes import Problem

DIRECTORY = "- name: default\n  kind: postgres\n  tables: []\n"


def read(folder: Path, limits: Any) -> tuple[ApiLimits, list[Problem]]:
    file = folder / "metadata.json"
    file.write_text(
        json.dumps({"version": 3, "sources": [{"name": "default", "kind": "postgres", "tables": []}], "api_limits": limits}, indent=1)
    )
    metadata = load_metadata(file)
    return metadata.api_limits, [*metadata.problems, *metadata.unused]


def test_all_of_them(tmp_path: Path) -> None:
    given = {
        "disabled": False,
        "depth_limit": {"global": 5, "per_role": {"user": 7}},
        "node_limit": {"global": 3},
        "time_limit": {"global": 10, "per_role": {"user": 2.5}},
        "batch_limit": {"global": 4},
        "rate_limit": {
            "global": {"unique_params": "ip", "max_reqs_per_min": 10},
            "per_role": {"user": {"unique_params": ["X-Hasura-User-Id"], "max_reqs_per_min": 20}, "guest": {"max_reqs_per_min": 1}},
        },
    }
    limits, told = read(tmp_path, given)
    assert told == []
    assert limits == ApiLimits(
        depth=ApiLimit(5, {"user": 7}),
        nodes=ApiLimit(3),
        seconds=ApiLimit(10.0, {"user": 2.5}),
        batch=ApiLimit(4),
        rate=ApiLimit(RateLimit(10, by_address=True), {"user": RateLimit(20, by_variables=("x-hasura-user-id",)), "guest": RateLimit(1)}),
    )
    assert [limit_of(limits.depth, role) for role in ("user", "nobody", "admin")] == [7, 5, None]


@pytest.mark.parametrize(
    "limits",
    [
        {"depth_limt": {"global": 1}},
        {"depth_limit": 1},
        {"depth_limit": {"per_role": {"user": 1}}},
        {"depth_limit": {"global": 0}},
        {"depth_limit": {"global": "1"}},
        {"depth_limit": {"global": True}},
        {"depth_limit": {"global": 1, "per_rol": {}}},
        {"depth_limit": {"global": 1, "state": "off"}},
        {"time_limit": {"global": 0}},
        {"rate_limit": {"global": 10}},
        {"rate_limit": {"global": {"max_reqs_per_min": 1, "unique_params": "address"}}},
        {"rate_limit": {"global": {"max_reqs_per_min": 1, "unique_params": ["x-hasura-role"]}}},
        {"rate_limit": {"global": {"max_reqs_per_min": 1, "unique_params": ["user"]}}},
        {"rate_limit": {"global": {"max_reqs_per_min": 1, "unique_parms": "IP"}}},
        {"disabled": "yes", "depth_limit": {"global": 1}},
        {"disabled": True, "depth_limit": {"global": 0}},
    ],
)
def test_a_slip_of_the_pen_refuses_the_start(tmp_path: Path, limits: Any) -> None:
    with pytest.raises(MetadataError) as refused:
        read(tmp_path, limits)
    (problem,) = refused.value.problems
    assert problem.position.line > 10


def test_a_file_of_a_directory(tmp_path: Path) -> None:
    (tmp_path / "databases").mkdir()
    (tmp_path / "databases" / "databases.yaml").write_text(DIRECTORY)
    (tmp_path / "api_limits.yaml").write_text("depth_limit:\n  global: 2\n  per_role:\n    user: 1\n    usre: 3\n")
    metadata = load_metadata(tmp_path)
    assert metadata.api_limits.depth == ApiLimit(2, {"user": 1, "usre": 3})
    assert {role: position.line for role, position in metadata.roles_of_requests.items()} == {"user": 4, "usre": 5}
    (tmp_path / "api_limits.yaml").write_text("depth_limit:\n  global: two\n")
    with pytest.raises(MetadataError, match=r"api_limits\.yaml:2: A limit is a whole number"):
        load_metadata(tmp_path)
