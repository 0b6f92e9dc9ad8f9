import os
import select
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from ubtest.errors import HostError
from ubtest.run import run, spawn, stream


def ended(reader: BinaryIO) -> bool:
    """Whether nobody is left who can write, within the time that a kill takes."""
    ready, _, _ = select.select([reader], [], [], 5)
    return bool(ready) and reader.read() == b""


@pytest.fixture
def pipe() -> Iterator[tuple[BinaryIO, int]]:
    """A pipe whose reading end reaches its end when the last process that can write is gone."""
    reading, writing = os.pipe()
    with open(reading, "rb", buffering=0) as reader:
        yield reader, writing


def test_output_and_input_are_bytes() -> None:
    finished = run(["cat"], stdin=b"\xff\0x")
    assert (finished.returncode, finished.stdout) == (0, b"\xff\0x")
    assert finished.text == "\\xff\0x"


def test_words_reach_the_program_as_they_are() -> None:
    assert run(["printf", "%s|", "a b", "$HOME", ";"]).text == "a b|$HOME|;|"


def test_a_missing_program_names_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ubtest.run.which", lambda program: None)
    with pytest.raises(HostError, match="`bison` is missing") as caught:
        run(["bison"])
    assert caught.value.next_step == "apt-get install bison"


def test_a_failure_shows_the_end_of_what_was_said() -> None:
    with pytest.raises(HostError, match=r"ended with 3:\nsorry"):
        run(["sh", "-c", "echo sorry >&2; exit 3"])
    assert run(["sh", "-c", "exit 3"], check=False).returncode == 3


def test_a_program_that_takes_too_long_is_ended() -> None:
    with pytest.raises(HostError, match=r"did not end within 0\.1 s"):
        run(["sleep", "60"], timeout=0.1)


def test_variables_are_added_and_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GONE", "1")
    monkeypatch.setenv("KEPT", "2")
    said = run(["sh", "-c", "echo $GONE,$KEPT,$NEW"], env={"GONE": None, "NEW": "3"}).text
    assert said == ",2,3\n"


def test_lines_come_from_both_streams_as_they_are_written() -> None:
    lines: list[str] = []
    assert stream(["sh", "-c", "echo out; echo err >&2"], lines.append) == 0
    assert lines == ["out", "err"]


def test_a_failed_stream_raises_or_tells_its_code() -> None:
    with pytest.raises(HostError, match=r"ended with 2:\nlast"):
        stream(["sh", "-c", "echo last; exit 2"], lambda line: None)
    assert stream(["sh", "-c", "exit 2"], lambda line: None, check=False) == 2


def test_leaving_a_stream_lets_the_program_clean_up(tmp_path: Path) -> None:
    def leave(line: str) -> None:
        raise KeyboardInterrupt

    # The shell's own sleep is in its group too, else `wait` would not return
    script = f"trap 'echo done > {tmp_path}/cleaned; exit' TERM; echo go; sleep 60 & wait"
    with pytest.raises(KeyboardInterrupt):
        stream(["sh", "-c", script], leave)
    assert (tmp_path / "cleaned").exists()


def test_leaving_takes_the_whole_group_along(pipe: tuple[BinaryIO, int]) -> None:
    reader, writing = pipe
    with spawn(["sh", "-c", "sleep 300 & echo go; wait"], stdout=writing):
        os.close(writing)
        assert reader.readline() == b"go\n"
    assert ended(reader)


def test_a_program_does_not_outlive_us(pipe: tuple[BinaryIO, int]) -> None:
    reader, writing = pipe
    ours = (
        "import sys; from ubtest.run import start\n"
        "start(['sh', '-c', 'echo go; exec sleep 300']); sys.stdin.read()"
    )
    with spawn([sys.executable, "-c", ours], stdin=-1, stdout=writing) as process:
        os.close(writing)
        assert reader.readline() == b"go\n"
        process.kill()
        assert ended(reader)


def test_an_open_file_is_handed_down_when_asked(pipe: tuple[BinaryIO, int]) -> None:
    reader, writing = pipe
    script = f"echo x > /proc/self/fd/{writing}"
    stream(["sh", "-c", script], lambda line: None, pass_fds=(writing,))
    os.close(writing)
    assert reader.read() == b"x\n"
