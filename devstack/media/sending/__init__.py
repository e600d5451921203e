"""Sending on by RTMP, as LiveKit's egress does it beside recording: each address has a fate of its own.

In: addresses with keys, at the start and while it runs. Out: connections of whoever takes the media, and a line of the record for each,
which shows no key.
"""
