"""Pure values and decisions: no clock, socket, log or randomness here; `now` is an argument."""
