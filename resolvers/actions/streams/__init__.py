"""Streams: what is said at one, as those hear it who may see the stream.

In: who follows, and from which number. Out: events of `schema/types/stream_chat.py`.
"""
