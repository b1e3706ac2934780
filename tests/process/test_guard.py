"""Real processes, no mocks: the process boundary is what is under test.

Contract: contracts/wire/README.md §1, §11; docs/decisions/0004.
"""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import trio

from plughost.errors import StartError
from plughost.process.child import StopPolicy, open_child
from plughost.process.guard import Exit, open_guard
from plughost.process.launch import Launch, Limit, Wire, limits

QUICK = StopPolicy(after_eof_s=0.05, after_sigterm_s=0.05)


def launch(code: str, *, wire: Wire = Wire.STDIO, env: dict[str, str] | None = None) -> Launch:
    return Launch(
        argv=(sys.executable, "-I", "-S", "-c", code),
        env=env or {"PATH": "/usr/bin:/bin"},
        cwd=Path("/"),
        wire=wire,
        limits=limits(memory_mb=256, open_files=64),
    )


async def read_line(fd: int) -> bytes:
    data = b""
    while not data.endswith(b"\n"):
        await trio.lowlevel.wait_readable(fd)
        chunk = os.read(fd, 4096)
        if not chunk:
            break
        data += chunk
    return data


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def until(condition: Callable[[], bool]) -> None:
    with trio.fail_after(10):
        while not condition():  # noqa: ASYNC110 - the kernel sends no event for these
            await trio.sleep(0.005)


async def test_a_child_is_born_with_its_limits_session_folder_and_environment() -> None:
    code = (
        "import os, resource as r, signal; print("
        "r.getrlimit(r.RLIMIT_DATA)[0], r.getrlimit(r.RLIMIT_NOFILE)[0],"
        "r.getrlimit(r.RLIMIT_CORE)[1], r.getrlimit(r.RLIMIT_FSIZE)[1],"
        "os.getsid(0) == os.getpid() == os.getpgid(0), os.getcwd(),"
        "open('/proc/self/oom_score_adj').read().strip(),"
        "sorted(k for k in os.environ if k != 'LC_CTYPE'),"
        "signal.getsignal(signal.SIGTERM) == signal.SIG_DFL, flush=True)"
    )
    async with open_guard() as guard, open_child(guard, launch(code), stop=QUICK) as spawned:
        said = await read_line(spawned.from_plugin)

    assert said.decode().split(maxsplit=7) == [
        str(256 * 2**20),
        "64",
        "0",
        str(64 * 2**20),
        "True",
        "/",
        "500",
        "['PATH', 'PLUGHOST_CHILD'] True\n",
    ]


async def test_a_private_wire_leaves_the_three_standard_descriptors_to_the_log() -> None:
    code = (
        "import os; os.write(1, b'one '); os.write(2, b'two\\n');"
        "os.write(4, os.read(3, 99) + repr(sorted(map(int, os.listdir('/proc/self/fd')))).encode()"
        " + repr(os.read(0, 1)).encode() + os.environ['PLUGHOST_WIRE'].encode() + b'\\n')"
    )
    async with (
        open_guard() as guard,
        open_child(guard, launch(code, wire=Wire.PRIVATE), stop=QUICK) as spawned,
    ):
        os.write(spawned.to_plugin, b"hello ")
        assert await read_line(spawned.log) == b"one two\n"
        # 5 is the listing's own descriptor: nothing else was inherited.
        assert await read_line(spawned.from_plugin) == b"hello [0, 1, 2, 3, 4, 5]b''3,4\n"


async def test_an_exit_carries_status_signal_and_usage() -> None:
    async with open_guard() as guard:
        async with open_child(guard, launch("raise SystemExit(7)")) as seven:
            await seven.exited.wait()
        async with open_child(guard, launch("import os; os.abort()")) as aborted:
            await aborted.exited.wait()

    assert seven.exit is not None
    assert (seven.exit.status, seven.exit.signal) == (7, None)
    assert seven.exit.cpu_s > 0
    assert seven.exit.max_rss_bytes > 1_000_000
    assert str(seven.exit) == "exit status 7"
    assert str(aborted.exit) == "killed by SIGABRT"
    assert str(Exit(signal=99)) == "killed by signal 99"
    assert str(Exit()) == "gone with the guard process"


async def test_a_child_is_alive_after_thirteen_seconds() -> None:
    """PR_SET_PDEATHSIG under trio's own spawn kills at ten (docs/decisions/0004)."""
    async with open_guard() as guard, open_child(guard, launch("input()"), stop=QUICK) as spawned:
        with trio.move_on_after(13):
            await spawned.exited.wait()
        assert spawned.exit is None


@pytest.mark.parametrize(
    ("argv", "cwd", "code", "step"),
    [
        (("/no/such/program",), "/", errno.ENOENT, "exec"),
        (("/proc/self/status",), "/", errno.EACCES, "exec"),
        (("true",), "/no/such/folder", errno.ENOENT, "cwd"),
    ],
)
async def test_what_cannot_be_run_says_which_step_failed(
    argv: tuple[str, ...], cwd: str, code: int, step: str
) -> None:
    bad = Launch(argv=argv, env={"PATH": "/usr/bin:/bin"}, cwd=Path(cwd), wire=Wire.STDIO)
    async with open_guard() as guard:
        with pytest.raises(StartError) as caught:
            await guard.spawn(bad)

    assert caught.value.facts["errno"] == code
    assert caught.value.facts["step"] == step


async def test_a_limit_above_the_hosts_own_becomes_the_hosts() -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    code = "import resource as r; print(*r.getrlimit(r.RLIMIT_NOFILE), flush=True)"
    high = Launch(
        argv=(sys.executable, "-I", "-S", "-c", code),
        env={},
        cwd=Path("/"),
        wire=Wire.STDIO,
        limits=(Limit(resource.RLIMIT_NOFILE, hard + 1),),
    )
    async with open_guard() as guard, open_child(guard, high, stop=QUICK) as spawned:
        assert await read_line(spawned.from_plugin) == f"{hard} {hard}\n".encode()


async def test_arguments_that_do_not_fit_are_refused() -> None:
    async with open_guard() as guard:
        with pytest.raises(StartError, match="over the limit"):
            await guard.spawn(launch("0", env={"BIG": "x" * 300_000}))


STUBBORN = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
hold = os.open(os.environ["PROBE"], os.O_WRONLY)
if os.fork() == 0:
    os.setsid()
    if os.fork() != 0:
        os._exit(0)
print("up", flush=True)
time.sleep(3600)
"""


async def test_leaving_the_block_kills_a_child_and_its_daemon_that_ignore_sigterm(
    death_probe: tuple[Path, Callable[[], bool]],
) -> None:
    fifo, all_dead = death_probe
    env = {"PATH": "/usr/bin:/bin", "PROBE": str(fifo)}
    async with open_guard() as guard:
        async with open_child(guard, launch(STUBBORN, env=env), stop=QUICK) as spawned:
            await read_line(spawned.from_plugin)
            assert not all_dead()

        assert spawned.exit is not None
        assert spawned.exit.signal == signal.SIGKILL
        await until(all_dead)


async def test_a_polite_exit_sweeps_the_daemon_too(
    death_probe: tuple[Path, Callable[[], bool]],
) -> None:
    fifo, all_dead = death_probe
    env = {"PATH": "/usr/bin:/bin", "PROBE": str(fifo)}
    polite = STUBBORN.replace("time.sleep(3600)", "time.sleep(0 if os.getppid() != 1 else 3600)")
    async with open_guard() as guard:
        async with open_child(guard, launch(polite, env=env)) as spawned:
            await spawned.exited.wait()
        await until(all_dead)


async def test_a_child_that_leaves_at_the_end_of_its_input_is_never_signalled() -> None:
    code = "import sys; sys.stdin.read()"
    async with open_guard() as guard, open_child(guard, launch(code)) as spawned:
        pass

    assert spawned.exit is not None
    assert spawned.exit.status == 0


async def test_a_stopped_child_gets_its_sigterm() -> None:
    policy = StopPolicy(after_eof_s=0.05, after_sigterm_s=5)
    code = "import os, signal; print('x', flush=True); os.kill(os.getpid(), signal.SIGSTOP)"
    async with open_guard() as guard, open_child(guard, launch(code), stop=policy) as spawned:
        await read_line(spawned.from_plugin)
        await until(lambda: psutil.Process(spawned.pid).status() == psutil.STATUS_STOPPED)

    assert spawned.exit is not None
    assert spawned.exit.signal in (signal.SIGTERM, None)


async def test_a_cancelled_caller_still_reaps_the_child() -> None:
    async with open_guard() as guard:
        with trio.CancelScope() as scope:
            async with open_child(guard, launch("input()"), stop=QUICK) as spawned:
                scope.cancel()
                await trio.sleep_forever()

        assert scope.cancelled_caught
        assert spawned.exit is not None
        assert not psutil.pid_exists(spawned.pid)


HOST = """
import os, sys, trio
from pathlib import Path
from plughost.process.guard import open_guard
from plughost.process.launch import Launch, Wire

async def main():
    async with open_guard() as guard:
        scratch = Path(sys.argv[2])
        guard.adopt_scratch(scratch)
        env = {"PATH": "/usr/bin:/bin", "PROBE": sys.argv[1]}
        for _ in range(3):
            spawned = await guard.spawn(
                Launch(argv=(sys.executable, "-I", "-S", "-c", sys.argv[3]), env=env,
                       cwd=Path("/"), wire=Wire.STDIO))
            await trio.lowlevel.wait_readable(spawned.from_plugin)
        print("up", flush=True)
        await trio.sleep_forever()

trio.run(main)
"""


def test_killing_the_host_leaves_nothing_alive_and_removes_its_scratch_folder(
    death_probe: tuple[Path, Callable[[], bool]], tmp_path: Path
) -> None:
    """SIGKILL, with daemons that called setsid and forked twice."""
    fifo, all_dead = death_probe
    scratch = tmp_path / "scratch"
    (scratch / "inner").mkdir(parents=True)
    with subprocess.Popen(
        [sys.executable, "-c", HOST, str(fifo), str(scratch), STUBBORN], stdout=subprocess.PIPE
    ) as host:
        assert host.stdout is not None
        assert host.stdout.readline() == b"up\n"
        assert not all_dead()
        host.kill()

    async def dead_and_clean() -> None:
        await until(lambda: all_dead() and not scratch.exists())

    trio.run(dead_and_clean)


async def test_children_die_with_a_killed_guard_and_the_next_spawn_finds_a_new_one() -> None:
    async with open_guard() as guard:
        async with open_child(guard, launch("input()"), stop=QUICK) as spawned:
            (guardian,) = psutil.Process(spawned.pid).parents()[:1]
            guardian.kill()
            with trio.fail_after(10):
                await spawned.exited.wait()
        await until(lambda: not psutil.pid_exists(spawned.pid))
        assert spawned.exit == Exit()

        async with open_child(guard, launch("raise SystemExit(3)")) as again:
            await again.exited.wait()
        assert again.exit is not None
        assert again.exit.status == 3


async def test_many_children_at_once_each_get_their_own_exit() -> None:
    async with open_guard() as guard:
        statuses: dict[int, int | None] = {}

        async def one(status: int) -> None:
            async with open_child(guard, launch(f"raise SystemExit({status})")) as spawned:
                await spawned.exited.wait()
            assert spawned.exit is not None
            statuses[status] = spawned.exit.status

        async with trio.open_nursery() as nursery:
            for status in range(20):
                nursery.start_soon(one, status)

    assert statuses == {status: status for status in range(20)}


async def test_no_descriptor_stays_behind() -> None:
    async with open_guard() as guard:
        async with open_child(guard, launch("0")):
            pass
        before = open_descriptors()
        for _ in range(5):
            async with open_child(guard, launch("0")):
                pass
            with pytest.raises(StartError):
                await guard.spawn(Launch(argv=("/no",), env={}, cwd=Path("/"), wire=Wire.PRIVATE))
        assert open_descriptors() == before
