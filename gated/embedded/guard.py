"""The small process between us and a server: it stops the server once we are gone.

Run as a script with nothing but the standard library, so that it is up in a few milliseconds.
It holds the reading end of a pipe whose writing end its owner keeps: end of file means that the
owner has stopped it or has died, even by SIGKILL. The guard lives in a session of its own, so a
Ctrl-C in the terminal reaches the owner alone and the servers stop in the owner's order. Should
the guard itself be killed, Linux passes the first stop signal on to the server.
"""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable

PR_SET_PDEATHSIG = 1
WAKERS = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def ask_for_signal_at_death_of_parent(signal_number: int) -> Callable[[], None] | None:
    """What the server's process does before its `exec`: nothing where the kernel has no such call.

    The request is the guard's and not the owner's, because it goes by the *thread* that started
    the server: the guard has only one, while an owner may well start servers from a worker thread.
    """
    if sys.platform != "linux":
        return None
    import ctypes  # noqa: PLC0415

    prctl = ctypes.CDLL(None).prctl
    guard = os.getpid()

    def ask() -> None:
        prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
        if os.getppid() != guard:  # it died before the request stood
            os._exit(1)

    return ask


def owner_is_gone(wake: int) -> bool:
    """Wait for something to happen; true when it means "stop the server"."""
    ready, _, _ = select.select([0, wake], [], [])
    if wake in ready and any(number != signal.SIGCHLD for number in os.read(wake, 64)):
        return True
    return 0 in ready and not os.read(0, 64)


def main() -> int:
    plan = json.loads(sys.argv[1])
    stops = [(signal.Signals[name], seconds) for name, seconds in plan["stops"]]

    wake, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    for number in WAKERS:
        signal.signal(number, lambda *_: None)

    server = subprocess.Popen(  # noqa: S603
        plan["command"],
        stdin=subprocess.DEVNULL,
        stdout=2,  # the log
        user=plan["user"],
        group=plan["group"],
        extra_groups=None if plan["user"] is None else [],
        preexec_fn=ask_for_signal_at_death_of_parent(stops[0][0]),  # noqa: PLW1509
    )
    with contextlib.suppress(BrokenPipeError):
        os.write(1, b"%d\n" % server.pid)
    os.dup2(2, 1)

    while server.poll() is None and not owner_is_gone(wake):
        pass
    for number, seconds in stops:
        if server.poll() is None:
            server.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(seconds)
    if server.poll() is None:
        server.kill()
    return abs(server.wait())


if __name__ == "__main__":
    sys.exit(main())
