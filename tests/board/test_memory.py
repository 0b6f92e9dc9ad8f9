"""Memory of the board: what a test puts there is there, and what is there is read.

The sandbox's commands count addresses from the start of its memory, `put` does not.
"""

import pytest

from ubtest.lab.memory import read_memory

pytestmark = pytest.mark.needs("!SANDBOX")

BYTES = bytes(range(256))


def test_bytes_that_are_put_into_memory_are_there_for_u_boot(prompt):
    at = prompt.load_address
    if command := prompt.machine.put(BYTES, at):
        prompt.uboot.check(command)
    shown = prompt.uboot.check(f"md.b {at:x} {len(BYTES):x}")
    assert bytes.fromhex("".join(line[10:58] for line in shown.splitlines())) == BYTES


def test_what_u_boot_wrote_is_read(prompt):
    at = prompt.load_address + 0x1000
    prompt.uboot.check(f"mw.b {at:x} 5a 10; mw.b {at + 16:x} a5 10")
    assert read_memory(prompt, at, 32) == b"\x5a" * 16 + b"\xa5" * 16
