"""Where a stream is sent on to: other platforms, by RTMP.

In: what the host wants, and LiveKit's records. Out: rows for the host to follow, and orders to the egress that runs. A stream key goes in,
and to LiveKit; it comes out nowhere else.
"""
