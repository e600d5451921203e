"""Who watches a stream: sessions that begin, say again and again that they watch, and end.

In: what viewers and hosts ask, and the clock. Out: rows of `nchat_stream_viewers`, which triggers count, and what LiveKit has to be told.
"""
