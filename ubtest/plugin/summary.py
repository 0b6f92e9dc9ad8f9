"""The end of a board run: what it could do, and everything that did not run and why."""

from collections import Counter, defaultdict

import pytest

from ubtest.plugin.run_state import BoardRun


def write_summary(terminal: pytest.TerminalReporter, run: BoardRun) -> None:
    """Print the capability table, a line for every reason not to run, and where results are."""
    if run.capabilities.asked:
        terminal.section("capabilities", sep="-")
        width = max(map(len, run.capabilities.asked))
        for name, there in sorted(run.capabilities.asked.items()):
            terminal.line(f"{name:<{width}}  {'yes' if there else 'NO'}")
    if run.not_run:
        terminal.section("did not run", sep="-")
        by_reason: dict[str, Counter[str]] = defaultdict(Counter)
        for nodeid, reason in run.not_run.items():
            by_reason[reason][nodeid.partition("[")[0]] += 1
        for reason, tests in by_reason.items():
            terminal.line(f"{tests.total()} x {reason}", yellow=True)
            for test, rows in tests.items():
                terminal.line(f"    {test}" + (f"  ({rows} rows)" if rows > 1 else ""))
    terminal.line(f"results: {run.folder}")
