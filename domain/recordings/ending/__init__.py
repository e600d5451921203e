"""The end of a recording.

In: recordings that are to end, and parts that LiveKit has said its last word of. Out: what really lies in storage, and how long it is
kept.
"""
