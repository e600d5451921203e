"""What LiveKit's recorder is asked for."""

from dataclasses import replace

import pytest
from livekit import api

from app.livekit.egress.gateway import read
from app.livekit.egress.requests import Bucket, composite_request, track_request
from domain.ports import MediaRefused
from domain.recording_ports import CompositeWanted, EgressWanted, OutputReport, TrackWanted

TEMPLATES = {"stage": "https://templates.example.org/stage"}


def wanted(template: str) -> tuple[EgressWanted, CompositeWanted]:
    content = CompositeWanted("", (1280, 720), template)
    return EgressWanted("call_1", "prefix/", content, None), content


def test_a_template_is_the_address_in_the_settings() -> None:
    assert composite_request(*wanted("stage"), Bucket("recordings"), TEMPLATES).custom_base_url == TEMPLATES["stage"]


def test_a_template_that_the_settings_lost_is_a_refusal_and_no_fault_of_ours() -> None:
    with pytest.raises(MediaRefused, match="stage"):
        composite_request(*wanted("stage"), Bucket("recordings"), {})


def test_only_what_is_to_be_sent_on_names_the_protocol() -> None:
    """LiveKit adds addresses later to no other egress."""
    plain = wanted("stage")[0]
    for sends_on, protocols in ((False, []), (True, [api.StreamProtocol.RTMP])):
        request = composite_request(replace(plain, sends_on=sends_on), CompositeWanted("grid-dark", (1280, 720)), Bucket("recordings"), {})
        assert [(one.protocol, list(one.urls)) for one in request.stream_outputs] == [(protocol, []) for protocol in protocols]


@pytest.mark.parametrize("seconds", [2, 4, 10])
def test_segments_and_key_frames_are_as_far_apart_as_is_wanted(seconds: int) -> None:
    """Of a size without a preset the encoder is told too: LiveKit cuts segments no longer than that."""
    plain = replace(wanted("stage")[0], segment_seconds=seconds)
    request = composite_request(plain, CompositeWanted("grid-dark", (3840, 2160)), Bucket("recordings"), {})
    assert [output.segment_duration for output in request.segment_outputs] == [seconds] == [request.advanced.key_frame_interval]
    track = track_request(plain, TrackWanted("TR_1", "microphone"), Bucket("recordings"))
    assert [output.segment_duration for output in track.segment_outputs] == [seconds]


def test_a_record_shows_no_more_of_an_address_than_livekit_does() -> None:
    place, key = "rtmp://live.example.org/app/", "abcdefxyz"
    seen = api.StreamInfo(url=f"{place}{{abc...xyz}}", status=api.StreamInfo.FAILED, error=f"{place}{key} refused", retries=2)
    (output,) = read(api.EgressInfo(egress_id="EG_1", stream_results=[seen])).outputs
    assert output == OutputReport("{abc...xyz}", "failed", None, 2, None)
