"""Hasura's behaviour as cases, and the black-box runner for them."""
