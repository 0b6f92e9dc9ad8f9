"""labgrid-client with the QEMU board file, a real coordinator and a place in it."""

import socket
import sys
from pathlib import Path

import pytest
from conftest import QEMU

from ubtest.deadline import Deadline
from ubtest.run import Finished, run, spawn

BIN = Path(sys.executable).parent


@pytest.fixture
def coordinator(tmp_path):
    """Its address; it listens on loopback, on a port that was free."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    host, port = address.split(":")
    with spawn([BIN / "labgrid-coordinator", "-l", address], cwd=tmp_path):
        deadline = Deadline(20)
        while not deadline.expired:
            with socket.socket() as probe:
                if probe.connect_ex((host, int(port))) == 0:
                    break
        yield address


def test_a_place_is_brought_to_the_prompt(coordinator, tmp_path):
    text = QEMU.read_text()
    assert "    # resources:" in text
    file = tmp_path / "board.yaml"
    file.write_text(text.replace("    # resources:", "    resources:"))

    def client(*words: str, check: bool = True) -> Finished:
        command = [BIN / "labgrid-client", "-x", coordinator, "-p", "qemu-arm64", *words]
        return run(command, timeout=60, check=check)

    client("create")
    client("acquire")
    said = client("-c", str(file), "-s", "uboot", "power", "get")
    assert "Transitioning into state uboot" in said.text
    # The client lets go of the console then, and QEMU lives in the process that holds it.
    assert "power for place qemu-arm64 is off" in said.text
    wrong = client("-c", str(file), "-s", "no-such-state", "power", "get", check=False)
    assert wrong.returncode != 0
    client("release")
