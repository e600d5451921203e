"""Attacks on a real service process, each measured by what its good neighbour feels; whole by `make hostile`, shorter in `make test`."""
