"""The devstack's worker that puts encoders on the air."""
