"""Which dialogues of a report become a recipe: of one message, about one board, each one once."""

from collections.abc import Iterator, Sequence

from ubtest.repro.comparison import trouble
from ubtest.repro.message import Evidence, Found
from ubtest.repro.transcript import Exchange, Prompt, Side, Transcript
from ubtest.repro.understanding import Understanding

# Words of a report -> the board file that stands for it
BOARDS = {"qemu_arm64": "qemu-arm64", "qemu_arm": "qemu-arm", "qemu-x86_64": "qemu-x86_64"}
BOARD = "qemu-arm64"


def board_of(understood: Understanding) -> str:
    """The board of ours that a report names, or the one that everybody has."""
    named = (BOARDS.get(each.value) for each in understood.boards)
    return next(filter(None, named), BOARD)


def chosen(understood: Understanding, board: str, notes: list[str]) -> Iterator[Exchange]:
    """The dialogues of the message that shows trouble, or of the first; each one once.

    Of a message about several boards, only those below the name of the one that is tried.
    """
    usable = [each for each in understood.transcripts if any(map(_on_target, each.exchanges))]
    shows = [each for each in usable if any(_troubled(said) for said in each.exchanges)]
    first = next(iter(shows or usable), None)
    if first is None:
        return
    message = _place(first).message
    named = [each for each in understood.boards if each.evidence.message == message]
    several = len(named) > 1 and any(BOARDS.get(each.value) == board for each in named)
    seen = list[list[str]]()
    for each in usable:
        commands = [said.command for said in each.exchanges if _on_target(said)]
        where = f"the dialogue at message {_place(each).message}, line {_place(each).line}"
        if _place(each).message != message:
            notes.append(f"{where} is of another message: left out")
        elif several and BOARDS.get(_board_above(each, named)) != board:
            notes.append(f"{where} is of another board: left out")
        elif commands in seen:
            notes.append(f"{where} has the same commands: taken once")
        else:
            seen.append(commands)
            yield from filter(_on_target, each.exchanges)


def _place(transcript: Transcript) -> Evidence:
    return transcript.exchanges[0].evidence


def _board_above(transcript: Transcript, named: Sequence[Found]) -> str:
    """The board that is named last before a dialogue."""
    above = [each for each in named if each.evidence.line <= _place(transcript).line]
    return max(above, key=lambda each: each.evidence.line).value if above else ""


def _on_target(said: Exchange) -> bool:
    return said.side is Side.TARGET and bool(said.command) and said.prompt is not Prompt.UNKNOWN


def _troubled(said: Exchange) -> bool:
    return bool(said.command) and any(map(trouble, said.output))
