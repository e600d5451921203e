"""The newest calls of a person and of a channel are found in the index alone: which they are is all that a page asks of most of them."""

from collections.abc import Mapping
from typing import Final

import sqlalchemy as sa
from alembic import op

from migrations.shorthand import limit_lock_wait

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

CALLS: Final = "nchat_calls"
NEWEST: Final[Mapping[str, str]] = {f"{CALLS}_{column}_created_at_idx": column for column in ("initiator_id", "channel_id")}


def upgrade() -> None:
    limit_lock_wait()
    _index_anew(include=["id"])


def downgrade() -> None:
    limit_lock_wait()
    _index_anew(include=[])


def _index_anew(*, include: list[str]) -> None:
    for name, column in NEWEST.items():
        op.drop_index(name, CALLS)
        op.create_index(name, CALLS, [column, sa.literal_column("created_at DESC")], postgresql_include=include)
