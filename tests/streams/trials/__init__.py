"""Whole streams on real servers, while those servers, the host or the recorder go away: `make trial-streams`."""
