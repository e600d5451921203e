"""Recordings as they are watched.

In: a person and a recording, a part, or one of its segments. Out: whether they see it now, one playlist of all parts while it runs and
afterwards, pictures for a seek bar, a file to save.
"""
