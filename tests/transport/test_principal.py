"""Whose share of the service a request takes."""

from app.graphql.principal import principal_of
from permissions.session import Session

HERE = {"client": ("10.0.0.7", 4711)}


def test_a_person_is_one_whatever_the_role_and_the_address() -> None:
    names = {
        principal_of(Session(role, {"x-hasura-role": role, "x-hasura-user-id": "7"}), scope)
        for role in ("user", "moderator")
        for scope in (HERE, {"client": ("10.0.0.8", 1)}, {})
    }
    assert len(names) == 1


def test_callers_without_a_name_share_that_of_their_address() -> None:
    nobody = Session("anonymous", {"x-hasura-role": "anonymous"})
    assert principal_of(nobody, HERE) == principal_of(nobody, {"client": ("10.0.0.7", 9)})
    assert principal_of(nobody, HERE) != principal_of(nobody, {"client": ("10.0.0.8", 4711)})
    assert principal_of(nobody, {"client": None}) == ""
    assert principal_of(nobody, HERE) != principal_of(Session("user", {"x-hasura-user-id": "10.0.0.7"}), HERE)
