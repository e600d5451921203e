"""Who the people of the demo data are: the role of each one's token and what to try as that person."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from devstack.demo_data import USER_IDS


@dataclass(frozen=True, slots=True)
class DemoUser:
    """A row of nchat_users that one may act as."""

    name: str
    role: str
    note: str

    @property
    def id(self) -> UUID:
        return USER_IDS[self.name]


DEMO_USERS: Final = (
    DemoUser("alice", "user", "owner of the channel general"),
    DemoUser("bob", "user", "a moderator of general"),
    DemoUser("carol", "user", "a member of general"),
    DemoUser("dave", "user", "a member of general"),
    DemoUser("mallory", "user", "in no channel: sees nothing of the others' calls"),
    DemoUser("mod", "moderator", "the role moderator"),
)
