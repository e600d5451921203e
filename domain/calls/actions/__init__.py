"""What people do in calls, one module a verb.

In: the world, the caller's session and the input. Out: the ids that were touched (`results.py`), or one of the refusals of
`domain/errors.py`.
"""
