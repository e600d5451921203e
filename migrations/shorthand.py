"""Column types as the revisions write them, and statements that alembic has no word for."""

from collections.abc import Mapping

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

UUID = postgresql.UUID()
JSONB = postgresql.JSONB()
TIMESTAMP = postgresql.TIMESTAMP(timezone=True)
TEXT_ARRAY = postgresql.ARRAY(sa.Text())

Vocabularies = Mapping[str, tuple[str, ...]]


def enum(name: str) -> postgresql.ENUM:
    """A native enum that exists: `create_enums` makes it, not the table that uses it."""
    return postgresql.ENUM(name=name, create_type=False)


def create_enums(vocabularies: Vocabularies) -> None:
    for name, labels in vocabularies.items():
        postgresql.ENUM(*labels, name=name).create(op.get_bind(), checkfirst=False)


def drop_enums(vocabularies: Vocabularies) -> None:
    for name in vocabularies:
        op.execute(f"DROP TYPE {name}")


def limit_lock_wait() -> None:
    """A lock that is not free soon must not queue every other statement behind it."""
    op.execute("SET LOCAL lock_timeout = '3s'")


def touch_updated_at(table: str, *, but_not_with: str | None = None) -> None:
    """Keeps the table's `updated_at` by trigger, for every writer; an update that changes the column `but_not_with` leaves it."""
    same = f" AND OLD.{but_not_with} IS NOT DISTINCT FROM NEW.{but_not_with}" if but_not_with else ""
    op.execute(f"""
        CREATE TRIGGER {table}_updated_at BEFORE UPDATE ON {table}
        FOR EACH ROW WHEN (OLD IS DISTINCT FROM NEW{same}) EXECUTE FUNCTION nchat_touch_updated_at()
    """)


def execute_script(connection: sa.Connection, script: str) -> None:
    """Several statements at once, which a prepared statement can't be; within the migration's transaction."""
    connection.execute(sa.text("SELECT 1"))  # the driver begins its transaction with the first statement
    connection.connection.dbapi_connection.run_async(lambda driver: driver.execute(script))  # type: ignore[union-attr]
