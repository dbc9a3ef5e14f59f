"""Starts a server that ends with its parent.

Run as a separate program: `python -I -S leash.py PARENT USER COMMAND...`. It gives up root if a user is named, asks
the kernel (on Linux) for an interrupt when the parent ends, and then becomes COMMAND under the same process id. A
`preexec_fn` could do it too, but not safely in a process with threads.

The kernel ties this to the thread that forked, so the spawning thread must live as long as the servers.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(parent: str, user: str, *command: str) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # background jobs of a shell inherit it ignored
    if user:
        become(user)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)  # after setuid, which would clear it
    if os.getppid() != int(parent):
        sys.exit("the parent ended before the server began")
    os.execv(command[0], command)  # noqa: S606  no shell is wanted


def become(user: str) -> None:
    entry = pwd.getpwnam(user)
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)


if __name__ == "__main__":
    main(*sys.argv[1:])
