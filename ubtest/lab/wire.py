"""The other end of a QEMU network card's wire: this process, and no network behind it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from ubtest.formats.ethernet import Neighbour

_LARGEST = 65536  # bytes of a frame, with what segmentation offload may leave in one


class Wire:
    """Carries each frame as a datagram between two sockets in a folder of their own.

    `heard` and `said` are the frames from and to the card, in their order.
    """

    def __init__(self, folder: Path, neighbour: Neighbour) -> None:
        self._card, ours = folder / "card", folder / "us"
        self._neighbour = neighbour
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(ours))
        self.heard: list[bytes] = []
        self.said: list[bytes] = []
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def netdev(self, name: str) -> str:
        """The ``-netdev`` value that plugs a card into it."""
        ends = f"local.type=unix,local.path={self._card}"
        return f"dgram,id={name},{ends},remote.type=unix,remote.path={self._socket.getsockname()}"

    def clear(self) -> None:
        """Forget the frames up to now."""
        self.heard.clear()
        self.said.clear()

    def close(self) -> None:
        """End the thread, when it has taken what has arrived."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._socket.close()

    def _listen(self) -> None:
        """Answer until the socket is shut down, which shows as an empty datagram."""
        while frame := self._socket.recv(_LARGEST):
            self.heard.append(frame)
            answer = self._neighbour.answer(frame)
            # The machine may have been switched off meanwhile, or the wire closed
            with suppress(FileNotFoundError, ConnectionRefusedError, BrokenPipeError):
                if answer is not None:
                    self._socket.sendto(answer, str(self._card))
                    self.said.append(answer)


@contextmanager
def wire(neighbour: Neighbour) -> Iterator[Wire]:
    """A wire with one neighbour at its end, for the time of a test."""
    with TemporaryDirectory(prefix="ubtest-wire-") as folder:
        made = Wire(Path(folder), neighbour)
        try:
            yield made
        finally:
            made.close()
