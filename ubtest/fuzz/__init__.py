"""Grammar-aware fuzzing of a live firmware: good capsules, broken by name, and what must hold."""
