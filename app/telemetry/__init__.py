"""What operators see: log lines, metrics, and the moments that tests of crashes hook into."""
