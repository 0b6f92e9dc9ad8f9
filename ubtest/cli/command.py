"""How a subcommand is declared: one shape for all of them."""

import argparse
from collections.abc import Callable
from typing import TypeAlias

# argparse has no public name for what `add_subparsers` returns
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add(
    commands: Commands,
    name: str,
    command: Callable[[argparse.Namespace], int],
    *,
    does: str,
    example: str,
) -> argparse.ArgumentParser:
    """Declare a subcommand; its help ends with an example that works.

    :param command: gets the options, returns the exit code.
    """
    parser = _parser(commands, name, does, example)
    parser.set_defaults(command=command)
    return parser


def group(commands: Commands, name: str, *, does: str, example: str) -> Commands:
    """Declare a word that has subcommands of its own."""
    parser = _parser(commands, name, does, example)
    return parser.add_subparsers(required=True, metavar="COMMAND")


def _parser(commands: Commands, name: str, does: str, example: str) -> argparse.ArgumentParser:
    return commands.add_parser(
        name,
        help=does,
        description=f"{does[0].upper()}{does[1:]}.",
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
