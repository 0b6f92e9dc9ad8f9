"""The one way to run a host program: an argument list, captured, ended with us."""

import os
import signal
import subprocess
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ubtest.deadline import Deadline
from ubtest.errors import HostError
from ubtest.requirements import package_of, which

Argv = Sequence[str | Path]
Env = Mapping[str, str | None]


@dataclass(frozen=True)
class Finished:
    """A program that ended."""

    argv: tuple[str, ...]
    returncode: int
    stdout: bytes
    stderr: bytes

    @property
    def text(self) -> str:
        """Standard output as text; bytes that are not UTF-8 are shown escaped."""
        return self.stdout.decode(errors="backslashreplace")


def run(
    argv: Argv,
    *,
    cwd: Path | None = None,
    env: Env | None = None,
    stdin: bytes = b"",
    timeout: float = 60,
    check: bool = True,
) -> Finished:
    """Run a short program to its end.

    :param env: variables on top of our own environment; None takes one away.
    :param timeout: seconds.
    :raises HostError: missing program, non-zero exit (with ``check``) or no end in time.
    """
    with spawn(
        argv,
        cwd=cwd,
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            out, err = process.communicate(stdin, timeout)
        except subprocess.TimeoutExpired:
            raise HostError(f"`{_shown(argv)}` did not end within {timeout:g} s") from None
    finished = Finished(tuple(map(str, argv)), process.returncode, out, err)
    if check and finished.returncode:
        raise _failed(argv, finished.returncode, (err or out).decode(errors="backslashreplace"))
    return finished


def stream(
    argv: Argv,
    on_line: Callable[[str], None],
    *,
    cwd: Path | None = None,
    env: Env | None = None,
    timeout: float = 3600,
    check: bool = True,
    pass_fds: Sequence[int] = (),
    patience: float = 5,
) -> int:
    """Run a long program and hand over each line of its output, both streams, as it comes.

    :param check: raise when it fails; without, the caller looks at the exit code.
    :param pass_fds: open files that it inherits, such as a lock that outlives us with it.
    :param patience: when we leave early, the seconds it has to remove what is half written.
    :returns: the exit code.
    :raises HostError: missing program, non-zero exit (with the last lines) or no end in time.
    """
    deadline = Deadline(timeout)
    last: deque[str] = deque(maxlen=20)
    process = start(
        argv,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        pass_fds=pass_fds,
    )
    try:
        assert process.stdout is not None
        for raw in process.stdout:
            line = raw.decode(errors="backslashreplace").rstrip()
            last.append(line)
            on_line(line)
            if deadline.expired:
                raise HostError(f"`{_shown(argv)}` did not end within {timeout:g} s")
        process.wait()
    finally:
        end(process, patience=patience)
    if check and process.returncode:
        raise _failed(argv, process.returncode, "\n".join(last))
    return process.returncode


@contextmanager
def spawn(
    argv: Argv,
    *,
    cwd: Path | None = None,
    env: Env | None = None,
    **popen: object,
) -> Iterator["subprocess.Popen[bytes]"]:
    """Start a program in a process group of its own and end the whole group on leaving.

    Its own group, so that Ctrl-C at the terminal reaches us first and we end it in order.

    :raises HostError: the program is missing or cannot be started.
    """
    process = start(argv, cwd=cwd, env=env, **popen)
    try:
        yield process
    finally:
        end(process)


def start(
    argv: Argv,
    *,
    cwd: Path | None = None,
    env: Env | None = None,
    **popen: object,
) -> "subprocess.Popen[bytes]":
    """Start a program whose owner calls :func:`end`; the kernel ends it when we are killed.

    :raises HostError: the program is missing or cannot be started.
    """
    program, *words = map(str, argv)
    place = require(program)
    try:
        return subprocess.Popen(  # type: ignore[call-overload, no-any-return]
            ["setpriv", "--pdeathsig", "KILL", "--", place, *words],
            cwd=cwd,
            env=_environment(env or {}),
            start_new_session=True,
            **popen,
        )
    except OSError as error:
        raise HostError(f"cannot start `{program}`: {error}") from error


def end(process: "subprocess.Popen[bytes]", *, patience: float = 0) -> None:
    """End a started program and everything in its group, and collect it.

    :param patience: seconds to end by itself after SIGTERM, before SIGKILL.
    """
    try:
        if patience and process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(patience)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
    process.wait()


def require(program: str) -> str:
    """Where a program is.

    :raises HostError: it is missing; the message names the Debian package.
    """
    found = which(program)
    if found is None:
        package = package_of(program)
        raise HostError(
            f"the program `{program}` is missing",
            next_step=f"apt-get install {package}" if package else f"install {program}",
        )
    return found


def _environment(changes: Env) -> dict[str, str]:
    merged = {**os.environ, **changes}
    return {name: value for name, value in merged.items() if value is not None}


def _shown(argv: Argv) -> str:
    return " ".join(map(str, argv))


def _failed(argv: Argv, code: int, output: str) -> HostError:
    last = "\n".join(output.strip().splitlines()[-20:])
    return HostError(f"`{_shown(argv)}` ended with {code}:\n{last}")
