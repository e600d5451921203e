"""The pool as many principals share it: whose statement runs next, and whose statements are one.

In: whoever asks, and a statement with its arguments. Out: its answer, or `GraphQLRefusal` where more is asked than fits.
"""
