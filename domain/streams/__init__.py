"""Live streams: from the plan to the end, with a recording row for each that ran.

In: what people ask (`actions/`), what LiveKit tells, what is due. Out: guarded steps of a stream's row, and hints on `stream:<id>`.
"""
