"""What each benchmark is around its measurement: a command with help, and errors in one line."""

import argparse
import sys
from collections.abc import Callable
from typing import NoReturn

from ubtest.errors import UbtestError


def parser(description: str | None) -> argparse.ArgumentParser:
    """An argument parser that prints the script's docstring as it is written."""
    return argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )


def start(main: Callable[[], int]) -> NoReturn:
    """Run a script's main and exit with what it returns; errors of ours without a traceback."""
    try:
        code = main()
    except UbtestError as error:
        print(error, file=sys.stderr)
        code = error.exit_code
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)
