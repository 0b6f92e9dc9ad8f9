"""`ubtest handoff`: what the firmware hands to the kernel."""

from ubtest.cli import handoff_predict, handoff_show
from ubtest.cli.command import Commands, group


def register(commands: Commands) -> None:
    parts = group(
        commands,
        "handoff",
        does="what the firmware hands to the kernel, and what comes of it",
        example="ubtest handoff predict armada-8040-mcbin.dtb",
    )
    handoff_predict.register(parts)
    handoff_show.register(parts)
