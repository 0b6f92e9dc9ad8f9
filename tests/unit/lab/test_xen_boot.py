"""What a boot of Xen that fails is called: by what stands on the console, and in which order."""

from types import SimpleNamespace

import pytest

from ubtest.console.transcript import Transcript
from ubtest.errors import CaseError, FirmwareError, KernelCrash, UbtestError
from ubtest.lab.xen_boot import started

NOT_STARTED = FirmwareError("U-Boot's command came back with 0: the kernel was not started")
RESET = KernelCrash("the board reset by itself")

XEN = "=> bootefi bootmgr\nBooting: xen\n\x1b[2J\x1b[1;1HXen 4.17.5 (c/s ) EFI loader\n"
GAVE_UP = f"{XEN}Using configuration file 'xen.cfg'\nOpen failed for nothing: \nEND7=0\n=> "
PANICKED = (
    f"{XEN}(XEN) *****\n(XEN) Panic on CPU 0:\n(XEN) No memory\n(XEN) *****\nU-Boot 2025.01\n"
)
DAMAGED = "=> bootefi bootmgr\nBooting: xen\nLoading Boot0001 'xen' failed\nEND7=1\n=> "


class Console:
    """A labgrid console, as far as its speed goes."""

    txdelay = 0


def board(error, *said):
    """One whose boot fails in some way, with some words on its console."""

    def linux(boot):
        assert console.txdelay > 0
        raise error

    console, transcript = Console(), Transcript()
    for text in said:
        transcript.received(text.encode())
    return SimpleNamespace(
        linux=linux,
        strategy=SimpleNamespace(console=console),
        uboot=SimpleNamespace(transcript=transcript),
    )


def failure(error, *said):
    with pytest.raises(UbtestError) as caught, started(board(error, *said), None):
        pass
    return caught.value


def test_xen_gave_up():
    found = failure(NOT_STARTED, GAVE_UP)
    assert isinstance(found, CaseError)
    assert found.message == "Xen ran and went back to U-Boot: Open failed for nothing"


def test_xen_panicked():
    found = failure(RESET, PANICKED)
    assert isinstance(found, KernelCrash)
    assert found.message == "Xen panicked: No memory"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (NOT_STARTED, (DAMAGED,)),
        (NOT_STARTED, (GAVE_UP.replace("Xen 4.17.5", "Linux 6.1"),)),
        (RESET, (f"{XEN}(XEN) *** LOADING DOMAIN 0 ***\nU-Boot 2025.01\n",)),
    ],
)
def test_what_is_not_xens_doing_stays_as_it_is(error, said):
    assert failure(error, *said) is error


def test_words_of_the_boot_before_do_not_count():
    assert failure(RESET, PANICKED, XEN, "(XEN) fine\n") is RESET


def test_the_console_is_fast_again_afterwards():
    slow = board(NOT_STARTED, GAVE_UP)
    with pytest.raises(CaseError), started(slow, None):
        pass
    assert slow.strategy.console.txdelay == 0
