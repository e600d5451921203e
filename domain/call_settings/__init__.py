"""What people and channels have settled about calls beforehand.

In: their wishes. Out: rows, and the answer to whom a ring may reach.
"""
