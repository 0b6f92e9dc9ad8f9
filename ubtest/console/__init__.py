"""The console of a board: what was said, and how to hold a dialogue with it."""
