"""The tests of nchat-rtc."""
