"""Hasura metadata as it is written.

In: a directory, or one JSON or YAML file. Out: typed entries, each with its place in the source, and what is wrong with those left out.
No database is looked at.
"""
