"""Clips: a range of a recording as a recording of its own, copied by the store and not encoded.

In: a playlist, and the seconds where a clip begins and ends. Out: rows that say which segments it is made of, and a job that has them
copied.
"""
