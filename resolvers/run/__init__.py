"""What was compiled, run.

In: the steps of an operation, a session, variables. Out: the JSON of the answer, or one refusal in Hasura's words.
"""
