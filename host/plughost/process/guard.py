"""The host's end of the guard process: spawn, signal, hear of deaths.

One `Guard` for one host.  It starts `guardian.py`, and starts it again should
somebody kill it: its children die with it (PR_SET_PDEATHSIG), which their
supervisors see as crashes, and the next spawn finds a new one.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from array import array
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

import attrs
import trio

from plughost.errors import InternalError, StartError
from plughost.process.launch import Launch, Wire

__all__ = ["Exit", "Guard", "Spawned", "open_guard"]

_GUARDIAN: Final = Path(__file__).with_name("guardian.py")

# `guardian.PACKET_BYTES`: argv and environment of one child.
_PACKET_BYTES: Final = 192 * 1024

# How long a fork and an exec may take on a machine that swaps.
_SPAWN_S: Final = 20.0

# How long the guard may take to leave: its last sweep is bounded by 5 s
# (`guardian.LAST_SWEEP_S`); past this it is stuck or stopped, and is killed.
_CLOSE_S: Final = 8.0


@attrs.frozen(kw_only=True)
class Exit:
    """How a process ended.

    Attributes:
        status: Its exit status, or None if a signal ended it.
        signal: The signal that ended it, or None.
        cpu_s: Processor time of the process and the children it waited for.
        max_rss_bytes: Its largest resident size.
    """

    status: int | None = None
    signal: int | None = None
    cpu_s: float = 0.0
    max_rss_bytes: int = 0

    def __str__(self) -> str:
        if self.signal is not None:
            try:
                return f"killed by {signal.Signals(self.signal).name}"
            except ValueError:
                return f"killed by signal {self.signal}"
        if self.status is None:
            return "gone with the guard process"
        return f"exit status {self.status}"


@attrs.define(eq=False)
class Spawned:
    """A running child, as the guard knows it.

    Attributes:
        pid: Its process id, leader of its own session and group.
        to_plugin: Our writing end of the wire; non-blocking.
        from_plugin: Our reading end of the wire; non-blocking.
        log: Our reading end of its stderr; non-blocking.
        exited: Set when `exit` is there.
    """

    number: int
    pid: int
    to_plugin: int
    from_plugin: int
    log: int
    exit: Exit | None = None
    exited: trio.Event = attrs.field(factory=trio.Event)


@attrs.define(eq=False)
class Guard:
    """Starts children and reports their ends; open one with `open_guard`."""

    _nursery: trio.Nursery
    _socket: socket.socket | None = None
    _next_number: int = 1
    _starting: dict[int, _Start] = attrs.field(factory=dict)
    _alive: dict[int, Spawned] = attrs.field(factory=dict)
    _scratch: list[Path] = attrs.field(factory=list)
    # Shielded: a host that is being cancelled still has to hear how the
    # children it is stopping end.
    _listening: trio.CancelScope = attrs.field(factory=lambda: trio.CancelScope(shield=True))

    async def spawn(self, launch: Launch) -> Spawned:
        """Start a child.

        Raises:
            StartError: The program cannot be run; *facts* has ``errno`` and ``step``.
        """
        number = self._next_number
        self._next_number += 1
        # The marker lets the guard tell whose orphan a process is.
        env = {**launch.env, "PLUGHOST_CHILD": str(number)}
        wire_r, to_plugin = os.pipe()
        from_plugin, wire_w = os.pipe()
        log, log_w = os.pipe()
        null = os.open(os.devnull, os.O_RDONLY)
        if launch.wire is Wire.PRIVATE:
            env["PLUGHOST_WIRE"] = "3,4"
            targets = {0: null, 1: log_w, 2: log_w, 3: wire_r, 4: wire_w}
        else:
            targets = {0: wire_r, 1: wire_w, 2: log_w}
        request = {
            "op": "spawn",
            "id": number,
            "argv": launch.argv,
            "env": env,
            "cwd": str(launch.cwd),
            "fds": list(targets),
            "limits": [(limit.resource, limit.value, limit.value) for limit in launch.limits],
            "oom_score_adj": launch.oom_score_adj,
        }
        start = _Start(Spawned(number, 0, to_plugin, from_plugin, log))
        try:
            # Shielded, yet bounded: a cancellation between the request and its
            # answer would leave a child that nobody owns.
            with trio.move_on_after(_SPAWN_S, shield=True):
                self._starting[number] = start
                await self._send(request, list(targets.values()))
                await start.answered.wait()
        finally:
            self._starting.pop(number, None)
            for fd in (wire_r, wire_w, log_w, null):
                os.close(fd)
            if start.spawned.pid == 0:
                for fd in (to_plugin, from_plugin, log):
                    os.close(fd)
        if start.spawned.pid == 0:
            raise _cannot_start(launch, start)
        for fd in (to_plugin, from_plugin, log):
            os.set_blocking(fd, False)
        return start.spawned

    def signal(self, spawned: Spawned, *signals: int, scope: str = "group") -> None:
        """Send *signals* to a child's leader, group or tree; nothing if it has ended."""
        if spawned.exit is None and self._socket is not None:
            request = {"op": "signal", "id": spawned.number, "signals": signals, "scope": scope}
            self._send_now(json.dumps(request).encode(), [])

    def adopt_scratch(self, path: Path) -> None:
        """Have the guard remove *path* when the host has gone, however it went."""
        self._scratch.append(path)
        if self._socket is not None:
            self._send_now(json.dumps({"op": "scratch", "path": str(path)}).encode(), [])

    # -- the socket ----------------------------------------------------------

    async def _send(self, request: dict[str, Any], fds: Sequence[int]) -> None:
        packet = json.dumps(request).encode()
        if len(packet) > _PACKET_BYTES:
            raise StartError(
                f"program, arguments and environment take {len(packet)} bytes, "
                f"over the limit of {_PACKET_BYTES}",
                hint="Pass long values in a file.",
            )
        if self._socket is None:
            self._start()
        assert self._socket is not None
        while not self._send_now(packet, fds):
            await trio.lowlevel.wait_writable(self._socket)

    def _send_now(self, packet: bytes, fds: Sequence[int]) -> bool:
        assert self._socket is not None
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", fds))] if fds else []
        try:
            self._socket.sendmsg([packet], rights)
        except BlockingIOError:
            return False
        except OSError:
            # The guard is dying; its reader is about to see the end of file
            # and settles everybody who waits.
            return True
        return True

    def _start(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            # Not trio's spawn, whose thread ends after ten idle seconds; here
            # it would not matter, since the guard watches the host itself.
            # -I: no PYTHON* variable and no user site may change what it runs.
            process = subprocess.Popen(  # noqa: TID251 - the one process not spawned by the guard
                [sys.executable, "-I", str(_GUARDIAN), str(os.getpid())],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
        ours.setblocking(False)
        self._socket = ours
        for path in self._scratch:
            self._send_now(json.dumps({"op": "scratch", "path": str(path)}).encode(), [])
        self._listening = trio.CancelScope(shield=True)
        self._nursery.start_soon(self._listen, ours, process, self._listening)

    async def _listen(
        self,
        sock: socket.socket,
        process: subprocess.Popen[bytes],  # noqa: TID251 - only its type
        scope: trio.CancelScope,
    ) -> None:
        """Read the guard's packets until it has gone, then settle what it left open."""
        with scope:
            while True:
                await trio.lowlevel.wait_readable(sock)
                with suppress(BlockingIOError):
                    packet = _receive(sock)
                    if not packet:
                        break
                    self._heard(json.loads(packet))
        if self._socket is sock:
            self._socket = None
        sock.close()
        if scope.cancelled_caught:
            process.kill()
        self._settle()
        with trio.CancelScope(shield=True):
            # It has closed its socket or was killed: this wait is short.
            await trio.to_thread.run_sync(process.wait)

    def _heard(self, message: dict[str, Any]) -> None:
        number = message["id"]
        start = self._starting.get(number)
        if "pid" in message:
            if start is not None:
                start.spawned.pid = message["pid"]
                self._alive[number] = start.spawned
                start.answered.set()
        elif "errno" in message:
            if start is not None:
                start.errno, start.step = message["errno"], message["step"]
                start.answered.set()
        else:
            spawned = self._alive.pop(number)
            del message["id"]
            spawned.exit = Exit(**message)
            spawned.exited.set()

    def _settle(self) -> None:
        """The guard has gone: its children are dying, and nobody will report them."""
        for start in self._starting.values():
            start.step = "guard"
            start.answered.set()
        for spawned in self._alive.values():
            # PR_SET_PDEATHSIG killed the leader; its group may hold helpers.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(spawned.pid, signal.SIGKILL)
            spawned.exit = Exit()
            spawned.exited.set()
        self._alive.clear()

    def close(self) -> None:
        """Send the guard away; it kills what is left and removes the scratch folders."""
        self._listening.deadline = trio.current_time() + _CLOSE_S
        if self._socket is not None:
            self._socket.shutdown(socket.SHUT_WR)


@attrs.define(eq=False)
class _Start:
    spawned: Spawned
    errno: int = 0
    step: str = ""
    answered: trio.Event = attrs.field(factory=trio.Event)


@asynccontextmanager
async def open_guard() -> AsyncIterator[Guard]:
    """Provide a guard for as long as the block runs; then everything it started is dead."""
    async with trio.open_nursery() as nursery:
        guard = Guard(nursery)
        try:
            yield guard
        finally:
            guard.close()


def _receive(sock: socket.socket) -> bytes:
    try:
        return sock.recv(_PACKET_BYTES)
    except ConnectionError:
        return b""


def _cannot_start(launch: Launch, start: _Start) -> StartError:
    if not start.step:
        raise InternalError(f"the guard process did not answer within {_SPAWN_S:g} s")
    reason = os.strerror(start.errno) if start.errno else "the guard process ended"
    return StartError(
        f"cannot run {launch.argv[0]!r}: {reason}",
        errno=start.errno,
        step=start.step,
        argv=list(launch.argv),
    )
