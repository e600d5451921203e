"""One request understood, before any schema is asked.

In: a document, variables, an operation's name. Out: the one operation with its fragments, values read the same way from literals and
variables, fields collected; and the cache of what was compiled from them.
"""
