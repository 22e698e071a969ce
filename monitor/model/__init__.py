"""What a report means now: pure functions, with `now` as an argument."""
