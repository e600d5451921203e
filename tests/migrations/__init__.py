"""The schema over time: up, down, and beside tables that were there before."""
