"""Actions on recordings.

In: inputs of the schema. Out: payloads with the ids that were touched, whose rows the engine reads with the caller's permissions.
"""
