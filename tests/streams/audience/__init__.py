"""Who watches a stream, who reacts, and those who follow its events."""
