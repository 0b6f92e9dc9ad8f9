"""How far a long job is: said by the worker, shown by whoever called it."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """One moment of a job.

    :param stage: what is being done, as a person would say it.
    :param done: steps so far.
    :param total: steps in all, as far as one can tell; 0 where nobody knows.
    :param seconds: since this stage began.
    """

    stage: str
    done: int = 0
    total: int = 0
    seconds: float = 0

    @property
    def left(self) -> float | None:
        """Seconds to go at the speed so far; None while that would be a guess."""
        if self.done < 20 or self.done >= self.total:
            return None
        return self.seconds / self.done * (self.total - self.done)


OnProgress = Callable[[Progress], None]


def silent(progress: Progress) -> None:
    """Show nothing."""
