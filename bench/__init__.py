"""How fast: requests per second beside hand-written SQL on the same data and rules, as ratios of one run."""
