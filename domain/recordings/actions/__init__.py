"""Actions on recordings, one verb a file.

In: a session and ids. Out: the ids that were touched; what is wanted of the recorder stands in the rows.
"""
