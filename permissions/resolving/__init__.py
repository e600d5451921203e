"""What the metadata means for a database.

In: the entries of `reading/`, and the tables and functions that a database has. Out: the catalog of tracked tables and each role's
rules, and the problems of what doesn't fit.
"""
