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


def test_a_network_of_ipv6_is_one_and_an_address_of_ipv4_is_the_same_in_either_spelling() -> None:
    nobody = Session("anonymous", {"x-hasura-role": "anonymous"})

    def at(host: str) -> str:
        return principal_of(nobody, {"client": (host, 1)})

    assert at("2001:db8:1:2::1") == at("2001:db8:1:2:ffff::9") != at("2001:db8:1:3::1")
    assert at("::ffff:10.0.0.7") == at("10.0.0.7") != at("::ffff:10.0.0.8")
    assert at("a socket") != at("another socket")


def test_the_admin_secret_is_one_unless_it_acts_as_a_person() -> None:
    admin = Session("admin", {"x-hasura-role": "admin"}, trusted=True)
    acting = Session("user", {"x-hasura-role": "user", "x-hasura-user-id": "7"}, trusted=True)
    assert principal_of(admin, HERE) == principal_of(admin, {"client": ("10.0.0.8", 1)})
    assert principal_of(acting, HERE) == principal_of(Session("user", {"x-hasura-user-id": "7"}), HERE)
