"""What the record of an egress shows of its request: everything but the keys of the store, and those of streams."""

from typing import Any

from devstack.media.sending.addresses import redacted_address


def redacted(wanted: Any) -> Any:
    """A copy of the request in which each secret is its own name in braces."""
    shown = type(wanted)()
    shown.CopyFrom(wanted)
    outputs = [*shown.file_outputs, *shown.segment_outputs, *shown.image_outputs]
    outputs += [getattr(shown, name) for name in ("file", "segments") if name in shown.DESCRIPTOR.fields_by_name and shown.HasField(name)]
    for output in outputs:
        if output.WhichOneof("output") == "s3":
            for secret in ("access_key", "secret", "session_token"):
                if getattr(output.s3, secret):
                    setattr(output.s3, secret, f"{{{secret}}}")
    for stream in _streams(shown):
        stream.urls[:] = map(redacted_address, stream.urls)
    return shown


def _streams(shown: Any) -> list[Any]:
    alone = [shown.stream] if "stream" in shown.DESCRIPTOR.fields_by_name and shown.HasField("stream") else []
    return [*shown.stream_outputs, *alone]
