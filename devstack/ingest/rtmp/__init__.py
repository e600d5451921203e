"""RTMP for those who publish, as OBS and ffmpeg do: the key is asked about before any media is taken.

In: connections of encoders. Out: their media as FLV tags, to whatever `authorize` gave for the key. Written from the public description of
RTMP 1.0: plain handshake, AMF0. It plays nothing, and knows no TLS, no AMF3 and none of the codecs that came later.
"""

from devstack.ingest.rtmp.connection import Authorize, Publication, PublishRefused, listening
from devstack.ingest.rtmp.flv import Tag

__all__ = ["Authorize", "Publication", "PublishRefused", "Tag", "listening"]
