"""Kconfig: what a build has (`.config`) and what a fragment asks for."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from ubtest.errors import CaseError

_SET = re.compile(r"CONFIG_(\w+)=(.*)")
_UNSET = re.compile(r"# CONFIG_(\w+) is not set")


class Kconfig:
    """Symbols and their values, as `.config` and fragments write them.

    Symbols are named without ``CONFIG_``.

    :param values: symbol -> value as it is written (``y``, ``0x40``, ``"text"``); ``n`` for one
        that "is not set".
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = dict(values)

    @classmethod
    def read(cls, path: Path) -> "Kconfig":
        """Read a `.config` or a fragment.

        :raises CaseError: the file is missing, or a line is neither a setting nor a comment.
        """
        try:
            return cls.parse(path.read_text(), str(path))
        except OSError as error:
            raise CaseError(f"cannot read {path}: {error.strerror}") from error

    @classmethod
    def parse(cls, text: str, name: str = "fragment") -> "Kconfig":
        """Read lines; later ones win.

        :raises CaseError: a line is neither a setting nor a comment.
        """
        values = {}
        for number, line in enumerate(text.splitlines(), 1):
            if found := _SET.fullmatch(line.strip()):
                values[found[1]] = found[2]
            elif found := _UNSET.fullmatch(line.strip()):
                values[found[1]] = "n"
            elif line.strip() and not line.lstrip().startswith("#"):
                raise CaseError(
                    f"{name}, line {number}: `{line.strip()}` is not a Kconfig line",
                    next_step="write CONFIG_X=value or # CONFIG_X is not set",
                )
        return cls(values)

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __or__(self, later: "Kconfig") -> "Kconfig":
        """Both; where both set a symbol, the later one wins."""
        return Kconfig(self._values | later._values)

    def enabled(self, symbol: str) -> bool:
        """Whether a symbol is built in."""
        return self._values.get(symbol) == "y"

    def get(self, symbol: str) -> str | None:
        """A symbol's value without its quotes; None where it is absent or not set."""
        value = self._values.get(symbol, "n")
        if value == "n":
            return None
        return value[1:-1].replace(r"\"", '"') if value.startswith('"') else value

    def lines(self) -> str:
        """The text that Kconfig reads."""
        return "".join(
            f"# CONFIG_{symbol} is not set\n" if value == "n" else f"CONFIG_{symbol}={value}\n"
            for symbol, value in self._values.items()
        )

    def dropped(self, config: "Kconfig") -> dict[str, tuple[str, str]]:
        """Symbols of this fragment that a `.config` does not hold: name -> (wanted, got)."""
        return {
            symbol: (wanted, got)
            for symbol, wanted in self._values.items()
            if (got := config._values.get(symbol, "n")) != wanted
        }

    def check_kept(self, config: "Kconfig", name: str) -> None:
        """Make sure that Kconfig took each line of this fragment.

        :param name: whose fragment it is, for the message.
        :raises CaseError: it did not; names each symbol, what was wanted and what came out.
        """
        if dropped := self.dropped(config):
            rows = (
                f"CONFIG_{symbol}: wanted {wanted}, got {got}"
                + (
                    ""
                    if symbol in config._values
                    else " (no such symbol here, or a dependency is off)"
                )
                for symbol, (wanted, got) in dropped.items()
            )
            raise CaseError(
                f"Kconfig did not keep these lines of {name}:\n  " + "\n  ".join(rows),
                next_step="correct the names, or set what they depend on",
            )
