"""`make bench-fanout`: one event to many websockets, beside the raw ceiling and peers, in one run."""
