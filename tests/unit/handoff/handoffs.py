"""Handoffs of QEMU's arm64 board, recorded by `ubtest handoff show --save`."""

from functools import cache
from pathlib import Path

from ubtest.handoff.handed import Handoff
from ubtest.handoff.survey import Survey

HOME = Path(__file__).with_name("handed")
# As the board is, on both releases; and with reservations, MACs, a bridge, a source of randomness
PLAIN, OLD, RICH = "plain-2025.01", "plain-2023.01", "rich-2025.01"


@cache
def survey(name: str) -> Survey:
    return Survey.load(HOME / f"{name}.tar.gz")


def handoff(name: str, **changed: bytes | None) -> Handoff:
    """A recorded one, or the same with files that are others, or gone.

    :param changed: name with / as __ and - as _: content; None takes it out.
    """
    files = dict(survey(name).files)
    names = {path.replace("/", "__").replace("-", "_"): path for path in files}
    for key, content in changed.items():
        path = names[key]
        if content is None:
            del files[path]
        else:
            files[path] = content
    return Handoff(Survey(files))


def edited(name: str, key: str, before: bytes, after: bytes) -> Handoff:
    """A recorded one in which one file says something else."""
    files = {path.replace("/", "__").replace("-", "_"): c for path, c in survey(name).files.items()}
    assert before in files[key], f"{key} has no {before!r}"
    return handoff(name, **{key: files[key].replace(before, after)})
