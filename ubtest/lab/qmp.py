"""QEMU's machine protocol on a socket that we made ourselves."""

import json
import select
import socket
from contextlib import suppress
from typing import Any

from ubtest.deadline import Deadline
from ubtest.errors import LabError


class Qmp:
    """Sends commands to one QEMU and waits for their answers and for events.

    Source: QEMU docs/interop/qmp-spec.rst.
    """

    def __init__(self, link: socket.socket, *, timeout: float = 10) -> None:
        self._link = link
        self._timeout = timeout
        self._buffer = b""
        self._events: list[dict[str, Any]] = []
        self._receive(Deadline(timeout))  # the greeting
        self.execute("qmp_capabilities")

    def execute(self, command: str, **arguments: object) -> Any:
        """Run one command and give back what it returns.

        :raises LabError: QEMU refuses it, has ended, or does not answer in time.
        """
        self._send({"execute": command, "arguments": arguments})
        deadline = Deadline(self._timeout)
        while True:
            message = self._receive(deadline)
            if "event" in message:
                self._events.append(message)
            elif "error" in message:
                raise LabError(f"QEMU refuses {command} {arguments}: {message['error']['desc']}")
            else:
                return message.get("return")

    def monitor(self, line: str) -> str:
        """Run a line of the human monitor (``savevm`` has no other way in).

        :raises LabError: the monitor printed anything but an empty answer for a snapshot command.
        """
        return str(self.execute("human-monitor-command", **{"command-line": line}))

    def wait_event(self, name: str, *, timeout: float, **data: object) -> dict[str, Any]:
        """The next event of that name whose data holds these values.

        :raises LabError: it does not come in time.
        """
        deadline = Deadline(timeout)
        while True:
            for event in self._events:
                found: dict[str, Any] = event.get("data", {})
                if event["event"] == name and data.items() <= found.items():
                    self._events.remove(event)
                    return found
            message = self._receive(deadline)
            if "event" in message:
                self._events.append(message)

    def ended_by(self, reason: str) -> bool:
        """Whether QEMU, whose end is near, says that it ends for this reason."""
        with suppress(LabError):
            self.wait_event("SHUTDOWN", timeout=1, reason=reason)
            return True
        return False

    def close(self) -> None:
        self._link.close()

    def _send(self, message: dict[str, Any]) -> None:
        try:
            self._link.sendall(json.dumps(message).encode() + b"\n")
        except OSError as error:
            raise LabError(f"QEMU has ended: {error}") from error

    def _receive(self, deadline: Deadline) -> dict[str, Any]:
        while b"\n" not in self._buffer:
            if not select.select([self._link], [], [], deadline.left)[0]:
                raise LabError(f"QEMU's monitor did not answer within {deadline.seconds:g} s")
            try:
                data = self._link.recv(65536)
            except OSError as error:
                raise LabError(f"QEMU has ended: {error}") from error
            if not data:
                raise LabError("QEMU has ended")
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        message: dict[str, Any] = json.loads(line)
        return message
