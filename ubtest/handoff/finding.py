"""What is wrong with something that was handed over."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One rule that does not hold.

    :param rule: the rule, as it should be.
    :param what: what is there instead, with its place.
    """

    rule: str
    what: str

    def __str__(self) -> str:
        return f"{self.what} (rule: {self.rule})"
