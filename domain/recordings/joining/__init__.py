"""One file of several parts, and sound in a file of its own kind.

In: finished recordings that have more media than one file holds. Out: the file, made by copying; or the reason why there is none.
"""
