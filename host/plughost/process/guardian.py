"""The guard process: parent of every plugin, and the end of all of them.

Run by path, in an interpreter of its own, with the standard library only.  It
reads requests from descriptor 0, a SOCK_SEQPACKET socket to the host, and
answers on it; one JSON document a packet.  Its one argument is the host's pid.

    host -> guard  {"op": "spawn", "id", "argv", "env", "cwd", "fds": [target, ...],
                    "limits": [[resource, soft, hard], ...], "oom_score_adj"} + descriptors
                   {"op": "signal", "id", "signals": [n, ...], "scope": "leader|group|tree"}
                   {"op": "scratch", "path"}         a folder to remove at the end
    guard -> host  {"id", "pid"} | {"id", "errno", "step"}
                   {"id", "status", "signal", "cpu_s", "max_rss_bytes"}

Why a process and not a thread of the host:

* The kernel ties PR_SET_PDEATHSIG to the parent *thread*, and trio spawns from
  cached threads that end after ten idle seconds.  This process has one thread.
* It is single-threaded, so it may fork and run Python before exec: session,
  limits and descriptors are set before a byte of the plugin's code runs, with
  no race and no wrapper program.
* It is a child subreaper: a daemonised grandchild comes back to it, not to
  init, so nothing a plugin leaves behind is out of reach.
* When the host dies, even by SIGKILL, its end of the socket closes and its
  pidfd turns readable (a fork of the host may still hold the socket); the guard
  then kills every descendant it has and leaves.
"""

from __future__ import annotations

import array
import ctypes
import errno
import gc
import json
import os
import resource
import select
import shutil
import signal
import socket
import sys
import time
from contextlib import suppress
from typing import Any, NoReturn

# prctl(2).
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

HOST_FD = 0

# One request: argv, environment and cwd.  The kernel's own limit for a packet
# is net.core.wmem_max (208 KiB by default); the host checks before it sends.
PACKET_BYTES = 192 * 1024
MAX_FDS = 8

# The terminal's Ctrl-C and a service manager's SIGTERM are for the host; the
# guard goes when the host has gone.
TERMINAL_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

# Children are named in the environment, so that an orphan that came back to
# the guard can be told to which plugin it belonged.
MARKER = b"PLUGHOST_CHILD="

# How often a sweep looks again while something it killed is still there.
SWEEP_S = 0.005
# After the host's death: SIGKILL needs no consent, so this only bounds a
# process stuck in the kernel.
LAST_SWEEP_S = 5.0

libc = ctypes.CDLL(None, use_errno=True)


class Child:
    """A plugin's first process."""

    def __init__(self, number: int, pid: int, status_fd: int) -> None:
        self.number = number
        self.pid = pid
        self.status_fd = status_fd  # closed by an exec; carries the errno of a failed one


class Guard:
    """The guard's whole state: its children, and what it still has to sweep."""

    def __init__(self, host: socket.socket, host_pidfd: int, wakeup_fd: int) -> None:
        self.host = host
        self.host_pidfd = host_pidfd
        self.wakeup_fd = wakeup_fd
        self.children: dict[int, Child] = {}  # pid -> Child, alive
        self.numbers: dict[int, Child] = {}  # number -> Child, alive
        self.starting: dict[int, Child] = {}  # status_fd -> Child
        self.sweeping: set[int] = set()  # numbers of children whose orphans must go
        self.scratch: list[str] = []
        self.poll = select.poll()

    def run(self) -> None:
        """Serve until the host is gone."""
        for source in (self.host, self.host_pidfd, self.wakeup_fd):
            self.poll.register(source, select.POLLIN)
        while True:
            ready = [fd for fd, _ in self.poll.poll(SWEEP_S * 1000 if self.sweeping else None)]
            for fd in ready:
                if fd in self.starting:
                    self.finish_start(fd)
            if self.wakeup_fd in ready:
                os.read(self.wakeup_fd, 4096)
                self.reap()
            host_spoke = self.host.fileno() in ready
            if self.host_pidfd in ready or (host_spoke and not self.receive()):
                return
            if self.sweeping:
                self.sweep()

    # -- the host ------------------------------------------------------------

    def receive(self) -> bool:
        """Handle one packet; False when the host has gone."""
        try:
            data, control, flags, _ = self.host.recvmsg(
                PACKET_BYTES, socket.CMSG_SPACE(MAX_FDS * array.array("i").itemsize)
            )
        except ConnectionError:
            return False
        fds = array.array("i")
        for level, kind, payload in control:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                fds.frombytes(payload[: len(payload) - len(payload) % fds.itemsize])
        if not data or flags & socket.MSG_TRUNC:
            for fd in fds:
                os.close(fd)
            return bool(data)
        request = json.loads(data)
        if request["op"] == "spawn":
            self.spawn(request, list(fds))
        elif request["op"] == "signal":
            self.signal(request)
        else:
            self.scratch.append(request["path"])
        return True

    def tell(self, **message: object) -> None:
        """Send one packet; a host that is gone is noticed by `receive`."""
        with suppress(OSError):
            self.host.send(json.dumps(message).encode())

    # -- birth ---------------------------------------------------------------

    def spawn(self, request: dict[str, Any], fds: list[int]) -> None:
        """Start a child; its success or failure is told later."""
        status_r, status_w = os.pipe()
        guard_pid = os.getpid()
        try:
            pid = os.fork()
        except OSError as exc:
            os.close(status_r)
            self.tell(id=request["id"], errno=exc.errno, step="fork")
            pid = None
        if pid == 0:
            become(request, fds, status_w, guard_pid)
        for fd in (*fds, status_w):
            os.close(fd)
        if pid is None:
            return
        child = Child(request["id"], pid, status_r)
        self.children[pid] = self.numbers[child.number] = self.starting[status_r] = child
        self.poll.register(status_r, select.POLLIN)

    def finish_start(self, status_fd: int) -> None:
        """Read the outcome of an exec and tell the host."""
        child = self.starting.pop(status_fd)
        self.poll.unregister(status_fd)
        failure = os.read(status_fd, 256)
        os.close(status_fd)
        child.status_fd = -1
        if not failure:
            self.tell(id=child.number, pid=child.pid)
            return
        code, step = failure.decode().split(" ", 1)
        os.waitpid(child.pid, 0)
        self.forget(child)
        self.tell(id=child.number, errno=int(code), step=step)

    # -- death ---------------------------------------------------------------

    def signal(self, request: dict[str, Any]) -> None:
        """Send signals to a child, its group, or all of its tree."""
        child = self.numbers.get(request["id"])
        if child is None:
            return  # reaped already; its pid may be somebody else's by now
        for number in request["signals"]:
            if request["scope"] == "leader":
                send(child.pid, number)
                continue
            if request["scope"] == "tree":
                for pid in descendants(child.pid):
                    send(pid, number)
            send_group(child.pid, number)

    def reap(self) -> None:
        """Collect every process that has ended; report the plugins among them."""
        while True:
            try:
                # Look without reaping: as long as the leader is a zombie, its
                # pid and its group's id cannot be given to anybody else.
                seen = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if seen is None:
                return
            child = self.children.get(seen.si_pid)
            if child is None:
                os.waitpid(seen.si_pid, 0)  # an orphan that came to us
                continue
            if child.status_fd in self.starting:
                self.finish_start(child.status_fd)
                if child.pid not in self.children:
                    continue
            send_group(child.pid, signal.SIGKILL)
            _, status, usage = os.wait4(child.pid, 0)
            self.forget(child)
            self.sweeping.add(child.number)
            self.tell(
                id=child.number,
                status=os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
                signal=os.WTERMSIG(status) if os.WIFSIGNALED(status) else None,
                cpu_s=usage.ru_utime + usage.ru_stime,
                max_rss_bytes=usage.ru_maxrss * 1024,
            )

    def sweep(self) -> None:
        """Kill what the plugins that ended have left behind; drop those with nothing left."""
        left = set()
        for pid in children_of(os.getpid()):
            if pid in self.children:
                continue
            number = marked_number(pid)
            if number in self.sweeping:
                left.add(number)
                for inner in [*descendants(pid), pid]:
                    send(inner, signal.SIGKILL)
        self.sweeping &= left

    def forget(self, child: Child) -> None:
        """Drop *child* from the books."""
        del self.children[child.pid]
        del self.numbers[child.number]

    def end(self) -> None:
        """The host is gone: kill everything, wait for it, tidy up."""
        give_up_at = time.monotonic() + LAST_SWEEP_S
        while time.monotonic() < give_up_at:
            for pid in descendants(os.getpid()):
                send(pid, signal.SIGKILL)
            try:
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            except ChildProcessError:
                break
            time.sleep(SWEEP_S)  # noqa: TID251 - one thread, nothing left to serve
        for path in self.scratch:
            shutil.rmtree(path, ignore_errors=True)


def become(request: dict[str, Any], fds: list[int], status_fd: int, guard_pid: int) -> NoReturn:
    """Turn this fresh fork into the plugin; never returns."""
    step = "setsid"
    try:
        os.setsid()
        step = "descriptors"
        status_fd = place(fds, request["fds"], status_fd)
        step = "signals"
        signal.set_wakeup_fd(-1)
        # Ignored signals stay ignored over an exec: Python's two and the guard's.
        for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD, *TERMINAL_SIGNALS):
            signal.signal(number, signal.SIG_DFL)
        step = "parent"
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != guard_pid:
            os._exit(1)  # the guard died before the line above
        step = "oom_score_adj"
        with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
            file.write(str(request["oom_score_adj"]))
        step = "limits"
        set_limits(request["limits"])
        step = "cwd"
        os.chdir(request["cwd"])
        step = "exec"
        os.execvpe(request["argv"][0], request["argv"], request["env"])
    except OSError as exc:
        os.write(status_fd, f"{exc.errno or 0} {step}".encode())
    except BaseException as exc:  # noqa: BLE001 - a fork must never return into the guard
        os.write(status_fd, f"{errno.EINVAL} {step}: {exc!r}"[:250].encode())
    os._exit(127)


def set_limits(limits: list[list[int]]) -> None:
    """Set resource limits; where the host itself has less, that is what there is."""
    for number, soft, hard in limits:
        allowed = resource.getrlimit(number)[1]
        bound = allowed if allowed != resource.RLIM_INFINITY else hard
        resource.setrlimit(number, (min(soft, bound), min(hard, bound)))


def place(fds: list[int], targets: list[int], status_fd: int) -> int:
    """Put descriptors where the plugin expects them, and close all others.

    Returns:
        Where *status_fd* has moved to; it closes by itself at exec.
    """
    # Two steps, because a descriptor may sit where another one has to go.
    base = max(*targets, *fds, status_fd) + 1
    high = []
    for offset, fd in enumerate([*fds, status_fd]):
        os.dup2(fd, base + offset, inheritable=False)
        high.append(base + offset)
    for fd, target in zip(high, targets, strict=False):  # the status has no target
        os.dup2(fd, target)
    kept = [*sorted(set(targets)), high[-1]]
    start = 0
    for fd in kept:
        if start < fd:  # CPython 3.11's closerange(0, 0) closes everything
            os.closerange(start, fd)
        start = fd + 1
    os.closerange(start, max(os.sysconf("SC_OPEN_MAX"), start))
    return high[-1]


def send(pid: int, number: int) -> None:
    """Signal one process, if it is still there."""
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def send_group(pid: int, number: int) -> None:
    """Signal a process group, if it is still there."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def children_of(pid: int) -> list[int]:
    """Return the pids of *pid*'s children, of all its threads."""
    found = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children", "rb") as file:
                found += [int(word) for word in file.read().split()]
    except OSError:
        pass  # it ended while we looked
    return found


def descendants(pid: int) -> list[int]:
    """Return the pids of everything below *pid*, children before grandchildren."""
    found = children_of(pid)
    for inner in found:  # grows while it is read
        found += children_of(inner)
    return found


def marked_number(pid: int) -> int | None:
    """Return the number of the plugin that started *pid*'s tree, or None."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            entries = file.read().split(b"\0")
    except OSError:
        return None
    for entry in entries:
        if entry.startswith(MARKER):
            return int(entry[len(MARKER) :])
    return None


def main() -> None:
    """Guard the host whose socket is descriptor 0."""
    host = socket.socket(fileno=HOST_FD)
    os.set_inheritable(HOST_FD, False)
    host_pidfd = os.pidfd_open(os.getppid())
    if os.getppid() != int(sys.argv[1]):
        sys.exit(0)  # the host was gone before we looked
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    wakeup_r, wakeup_w = os.pipe()
    os.set_blocking(wakeup_w, False)
    signal.set_wakeup_fd(wakeup_w, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    for number in TERMINAL_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    # Forked children touch no cold page twice: less to copy on write.
    gc.freeze()
    guard = Guard(host, host_pidfd, wakeup_r)
    try:
        guard.run()
    finally:
        guard.end()
    sys.exit(0)


if __name__ == "__main__":
    main()
