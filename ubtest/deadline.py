"""Time left: one deadline is handed down through everything that waits."""

import time


class Deadline:
    """A point in time that every wait below it shares, so that waits do not add up.

    :param seconds: how long from now.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self._end - time.monotonic())

    @property
    def expired(self) -> bool:
        return time.monotonic() >= self._end
