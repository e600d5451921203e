"""What everything stands on holds addresses in clear, and never shows them."""

import dataclasses

from app.foundation import Foundation


def test_addresses_are_not_printed() -> None:
    """Whatever prints a Foundation, a log line or a traceback, prints no password."""
    of_an_address = [field for field in dataclasses.fields(Foundation) if field.name.endswith("_url")]
    assert [field.name for field in of_an_address] == ["database_url", "redis_url"]
    nothing = {field.name: None for field in dataclasses.fields(Foundation)}
    shown = repr(Foundation(**nothing | {field.name: "postgresql://nchat:a-password@host" for field in of_an_address}))  # type: ignore[arg-type]
    assert "a-password" not in shown
