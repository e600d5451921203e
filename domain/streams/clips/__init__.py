"""Clips of streams and of recordings, as people cut them.

In: a session, a stream or a recording, and seconds on the playlist's time line. Out: the clip's id; it is copied by a job.
"""
