"""The dialogue with a shell, against a target that plays its part and a kernel that prints."""

import base64
import gzip
import hashlib
import re
import subprocess
from random import Random

import pytest

from ubtest.console import shell
from ubtest.console.agent import agent, starting
from ubtest.console.answer import Answer, md5
from ubtest.console.shell import Login, ShellSession
from ubtest.console.transcript import Transcript
from ubtest.errors import (
    CaseError,
    DeafConsole,
    FirmwareCrash,
    FirmwareError,
    KernelCrash,
    LabError,
)

MESSAGE = b"[   12.345678] usb 1-1: new high-speed device\r\n"
PROMPT = b"/ # \x1b[6n"
KERNEL = b"[    0.000000] Booting Linux on physical CPU 0x0\r\n"


class Target:
    """A shell whose console a kernel shares; a byte seam, nothing more.

    :param answers: command -> (output, status).
    :param torn: how often a kernel message comes into the middle of what is sent: after so many
        bytes, more or less; 0 for never.
    :param starts: what the board prints before the prompt.
    """

    def __init__(self, answers=None, *, torn=0, starts=KERNEL + PROMPT):
        self.answers = answers or {}
        self.out = starts
        self.torn = torn
        self.heard = b""
        self.typed = b""
        self.key = ""
        self.number, self.tag, self.last = 0, 0, (b"", 0)
        self.ran = []
        self.lines = []
        self.chance, self.until = Random(torn), torn
        self.deaf = 0  # lines that are lost

    def read(self, timeout):
        data, self.out = self.out[:4096], self.out[4096:]
        return data

    def write(self, data):
        self.heard += data
        self.typed += data
        *lines, self.typed = self.typed.split(b"\n")
        for line in lines:
            if self.deaf:
                self.deaf -= 1
            else:
                self.take(line.lstrip(b"\x15").decode())

    def say(self, data):
        for byte in data:
            self.out += bytes([byte])
            self.until -= 1
            if self.torn and self.key and self.until <= 0:
                self.out += MESSAGE
                self.until = self.chance.randint(1, 2 * self.torn)

    def take(self, line):
        if found := re.match(r"stty -echo; echo RE''ADY(\w+);", line):
            self.say(line.encode() + b"\r\nREADY" + found[1].encode() + b"\r\n")
        elif line.startswith("u_k="):
            self.key = line[4:].split()[0]
            self.status()
        elif self.key:
            self.request(line)

    def request(self, line):
        number, _, rest = line.partition(" ")
        length, _, rest = rest.partition(" ")
        if line.startswith("?"):
            self.tag = int(line[1:])
        elif length != str(len(rest)):
            pass
        elif number == f"+{self.number}":
            for first, last in re.findall(r"(\d+),(\d+)p", rest):
                for n in range(int(first), int(last) + 1):
                    self.say(self.lines[n - 1] + b"\r\n")
            if rest == "$p":
                self.say(self.lines[-1] + b"\r\n")
        elif number.isdigit() and int(number) > self.number:
            self.number = int(number)
            self.run(rest)
        self.status()

    def run(self, command):
        self.ran.append(command)
        self.last = self.answers.get(command, (b"", 0))
        text = base64.b64encode(self.packed(self.last[0]))
        pieces = [text[at : at + 76] for at in range(0, len(text), 76)]
        self.lines = [b"%d.%d:%s" % (self.number, n, line) for n, line in enumerate(pieces, 1)]
        self.lines.append(b"%d.%d:." % (self.number, len(pieces) + 1))
        for line in self.lines:
            self.say(line + b"\r\n")

    @staticmethod
    def packed(data):
        return gzip.compress(data) if len(data) > 2000 else data

    def status(self):
        data, status = self.last
        form = "g" if len(data) > 2000 else "p"
        said = f"{self.tag} {self.number} {status} {len(data)} {form}"
        self.say(f"\r\n<{self.key} {said}|{said}|{md5(data)}>\r\n".encode())


def session(target, **options):
    dialogue = ShellSession(target, Transcript(), **options)
    dialogue.await_shell(timeout=1)
    return dialogue


RANDOM = b"".join(hashlib.sha256(b"%d" % n).digest() for n in range(400))


@pytest.mark.parametrize("torn", [0, 80, 120, 200, 997])
@pytest.mark.parametrize("data", [b"", b"x", bytes(range(256)), b"\n" * 1999, RANDOM], ids=len)
def test_the_answer_is_exact_under_kernel_messages(torn, data):
    target = Target({"x": (data, 3)}, torn=torn)
    dialogue = session(target)
    reply = dialogue.command("x", timeout=5)
    assert (reply.output, reply.status) == (data, 3)
    assert target.ran == ["x"]


def test_a_torn_prompt_is_answered_all_the_same():
    session(Target(starts=KERNEL + b"/ " + MESSAGE + b"# "))


def test_a_line_that_did_not_arrive_is_sent_again_and_runs_once():
    target = Target({"x": (b"out", 0)})
    dialogue = session(target)
    target.deaf = 1
    assert dialogue.command("x", timeout=5).output == b"out"
    assert target.ran == ["x"]


def test_a_late_answer_of_a_command_before_is_not_the_next_ones():
    target = Target({"a": (b"A", 0), "b": (b"B", 1)})
    dialogue = session(target)
    dialogue.command("a")
    target.out += target.lines[0] + b"\r\n" + target.lines[1] + b"\r\n"
    target.status()
    reply = dialogue.command("b")
    assert (reply.output, reply.status) == (b"B", 1)
    assert target.heard.count(b"2 1 b\n") == 1  # an old status is no reason to send it again


def test_what_always_comes_wrong_is_the_lines_fault():
    class Wrong(Target):
        @staticmethod
        def packed(data):
            return data.replace(b"A", b"B")

    with pytest.raises(LabError, match="wrong checksum 3 times"):
        session(Wrong({"x": (b"A" * 100, 0)})).command("x", timeout=5)


def test_a_command_that_does_not_end():
    class Busy(Target):
        def run(self, command):
            self.key = ""  # says nothing more

        def status(self):
            if self.key:
                super().status()

    with pytest.raises(FirmwareError, match=r"`x` did not return within 0\.1 s"):
        session(Busy()).command("x", timeout=0.1)


@pytest.mark.parametrize("line", ["a\nb", "\x03", "ä", "x" * 3001])
def test_a_command_is_one_printable_line(line):
    with pytest.raises(CaseError, match="one line"):
        session(Target()).command(line)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (b"[    9.1] Kernel panic - not syncing: VFS: no root", "Kernel panic"),
        (b"[    9.1][    T1] Internal error: Oops: 96000004 [#1] SMP", "Oops"),
        (b"[    9.1] Unable to handle kernel NULL pointer dereference", "NULL"),
        (b"[    9.1] rcu: INFO: rcu_preempt self-detected stall on CPU", "stall"),
        (b"[    9.1] rcu: INFO: rcu_sched detected stalls on CPUs/tasks:", "stalls"),
        (b"[    9.1] watchdog: BUG: soft lockup - CPU#0 stuck", "soft lockup"),
        (b"U-Boot 2025.01 (Jan 01 2025 - 00:00:00 +0000)", "reset by itself"),
    ],
)
def test_a_crash_ends_the_wait_with_its_dump(line, what):
    class Dying(Target):
        def run(self, command):
            self.out += line + b"\r\n[    9.2] Call trace:\r\n[    9.3] ---[ end trace 0 ]---\r\n"

        def status(self):
            if not self.number:
                super().status()

    with pytest.raises(KernelCrash, match=what) as caught:
        session(Dying()).command("x", timeout=60)
    assert what == "reset by itself" or "---[ end trace" in caught.value.tail


@pytest.mark.parametrize(
    "line",
    [
        b"[    9.1] audit: type=1 msg='Kernel panic - not syncing'",
        b"[    9.1] rcu: Hierarchical RCU implementation.",
        b"[    9.1] SMBIOS: U-Boot 2025.01 present",
    ],
)
def test_a_message_about_one_is_no_crash(line):
    target = Target({"x": (b"out", 0)})
    dialogue = session(target)
    target.out += line + b"\r\n"
    assert dialogue.command("x").output == b"out"


def test_a_login_is_answered():
    class Getty(Target):
        def take(self, line):
            if line == "root":
                self.out += b"Password: "
            elif line == "secret":
                self.out += b"\r\n# "
            else:
                super().take(line)

    session(Getty(starts=b"\r\nboard login: "), login=Login("root", "secret"))


def test_a_login_that_nobody_knows():
    with pytest.raises(LabError, match="asks for a login"):
        session(Target(starts=b"\r\nboard login: "))


def test_a_login_that_is_refused():
    class Getty(Target):
        def take(self, line):
            self.out += b"Password: " if line == "root" else b"\r\nLogin incorrect\r\nlogin: "

    with pytest.raises(LabError, match="refuses the login of `root`"):
        session(Getty(starts=b"\r\nboard login: "), login=Login("root", "wrong"))


def test_a_kernel_that_was_not_started():
    starts = b"Booting: linux\r\nLoading failed\r\nEND9=1\r\n=> "
    with pytest.raises(FirmwareError, match="the kernel was not started"):
        session(Target(starts=starts))


def test_a_firmware_that_dies_before_the_kernel_runs():
    starts = b'Booting: linux\r\n"Synchronous Abort" handler, esr 0x96000010\r\nelr: 0\r\n'
    with pytest.raises(FirmwareCrash, match="Synchronous Abort") as caught:
        session(Target(starts=starts))
    assert "elr: 0" in caught.value.tail


def test_no_shell():
    with pytest.raises(FirmwareError, match="no shell came") as caught:
        session(Target(starts=b"EFI stub: Exiting boot services...\r\n"))
    assert "console=" in caught.value.next_step
    with pytest.raises(LabError, match="silent"):
        session(Target(starts=b""))


def test_a_prompt_that_hears_nothing_is_the_labs_fault(monkeypatch):
    monkeypatch.setattr(shell, "DEAF", 0.1)
    target = Target()
    target.deaf = 10**6
    with pytest.raises(DeafConsole, match="no effect"):
        session(target)
    assert target.heard.count(b"\n") > 1, "typed again before it is given up"


@pytest.mark.parametrize(("status", "what"), [(1, "no place to write"), (2, "lacks md5sum")])
def test_a_target_that_cannot_play_its_part(status, what):
    target = Target()
    target.last = (b"", status)
    with pytest.raises(LabError, match=what):
        session(target)


def test_only_whole_lines_are_taken():
    answer = Answer(7)
    whole = base64.b64encode(bytes(57))
    for line in (b"7.1:" + whole[:40], b"7.2:" + whole + MESSAGE, b"6.3:" + whole, b"7.4:."):
        answer.feed(line)
    assert answer.missing() == "1,3p;"
    for n in (1, 3, 2):
        answer.feed(b"7.%d:%b" % (n, whole))
    assert answer.missing() == ""
    assert answer.output(md5(bytes(171)), packed=False) == bytes(171)
    assert answer.output(md5(b"other"), packed=False) is None
    assert answer.missing() == "$p"  # all is asked for again


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_the_agent_in_a_real_shell(shell, tmp_path):
    """Its side of the dialogue, in the shells of this machine."""
    feed = b"1 7 echo hi\n1 7 echo hi\n?3\n2 9 seq 40000\n3 9 torn\ngarbage\n3 6 exit 7\n"
    feed += b"+3 2 $p\n4 10 <head -n 1\nfed\n"
    done = subprocess.run([shell, "-c", agent("k")], input=feed, capture_output=True, check=True)
    lines = done.stdout.decode().split("\n")
    statuses = [line.split("|")[0].split() for line in lines if line.startswith("<k ")]
    assert [status[1:4] for status in statuses] == [
        ["0", "0", "0"],
        ["0", "1", "0"],
        ["0", "1", "0"],
        ["3", "1", "0"],
        ["3", "2", "0"],
        ["3", "2", "0"],
        ["3", "2", "0"],
        ["3", "3", "7"],
        ["3", "3", "7"],
        ["3", "4", "0"],
    ]
    assert lines.count("1.1:aGkK") == 1
    assert lines.count("4.1:" + base64.b64encode(b"fed\n").decode()) == 1
    answer = Answer(2)
    for line in lines:
        answer.feed(line.encode())
    expected = "".join(f"{n}\n" for n in range(1, 40001)).encode()
    assert answer.output(md5(expected), packed=True) == expected


def test_what_is_typed_fits_a_terminal():
    assert len(agent("0123abcd")) < 4095
    assert "\n" not in agent("k")
    assert len(starting("0123abcd")) < 1000  # busybox's line editor takes 1024
