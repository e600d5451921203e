"""The end of what was kept.

In: recordings that expired, or whose removal somebody asked for; a bucket and the rows about it. Out: every object gone before the row
says so; objects without a row and rows without an object reported, then repaired.
"""
