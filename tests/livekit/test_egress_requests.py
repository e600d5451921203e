"""What LiveKit's recorder is asked for."""

import pytest

from app.livekit.egress.requests import Bucket, composite_request
from domain.ports import MediaRefused
from domain.recording_ports import CompositeWanted, EgressWanted

TEMPLATES = {"stage": "https://templates.example.org/stage"}


def wanted(template: str) -> tuple[EgressWanted, CompositeWanted]:
    content = CompositeWanted("", (1280, 720), template)
    return EgressWanted("call_1", "prefix/", content, None), content


def test_a_template_is_the_address_in_the_settings() -> None:
    assert composite_request(*wanted("stage"), Bucket("recordings"), TEMPLATES).custom_base_url == TEMPLATES["stage"]


def test_a_template_that_the_settings_lost_is_a_refusal_and_no_fault_of_ours() -> None:
    with pytest.raises(MediaRefused, match="stage"):
        composite_request(*wanted("stage"), Bucket("recordings"), {})
