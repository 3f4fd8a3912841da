"""Runs a command in a pseudo-terminal: terminal.py COLUMNS ROWS COMMAND...

Input is typed into the terminal, and its screen is output. Exits with the status of the command.
"""

import fcntl
import os
import pty
import select
import struct
import sys
import termios

READ_BYTES = 65536


def main() -> int:
    columns, rows = int(sys.argv[1]), int(sys.argv[2])
    command = sys.argv[3:]
    child, terminal = pty.fork()
    if child == 0:
        size = struct.pack("HHHH", rows, columns, 0, 0)
        fcntl.ioctl(sys.stdout.fileno(), termios.TIOCSWINSZ, size)
        os.execvp(command[0], command)
    relay(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def relay(terminal: int) -> None:
    sources = [terminal, sys.stdin.fileno()]
    while True:
        ready, _, _ = select.select(sources, [], [])
        if terminal in ready:
            try:
                shown = os.read(terminal, READ_BYTES)
            except OSError:  # the command has ended
                return
            if shown == b"":
                return
            os.write(sys.stdout.fileno(), shown)
        if sys.stdin.fileno() in ready:
            typed = os.read(sys.stdin.fileno(), READ_BYTES)
            if typed == b"":  # the test has ended, which hangs up the command
                os.close(terminal)
                return
            os.write(terminal, typed)


sys.exit(main())
