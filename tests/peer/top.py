"""`mlinfra top` in a pseudo-terminal, its screen read by a terminal emulator that knows nothing of it.

Usage: top.py MLINFRA QUICKSTART.hcl
"""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

import pyte


STARTED = []


def check(name, holds, more=""):
    assert holds, f"{name}:\n{more}"
    print(f"holds: {name}", flush=True)


class Window:
    """A process on a terminal of so many columns and rows."""

    def __init__(self, binary, folder, *args, size=(80, 24), **more):
        self.screen = pyte.Screen(*size)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""
        env = {"PATH": os.environ["PATH"], "HOME": str(folder), "TERM": "xterm-256color",
               "MLINFRA_SANDBOX": "1", **more}
        self.main, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        self.before = termios.tcgetattr(inner)
        self.inner = inner
        self.process = subprocess.Popen([binary, *args], cwd=folder, env=env, stdin=inner, stdout=inner,
                                        stderr=inner, start_new_session=True,
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        STARTED.append(self.process)

    def hear(self, seconds=0.1):
        while select.select([self.main], [], [], seconds)[0]:
            try:
                data = os.read(self.main, 65536)
            except OSError:
                return
            self.raw += data
            # The emulator does not know how to be asked what it is.
            self.stream.feed(data)
            seconds = 0.05

    def text(self):
        return "\n".join(line.rstrip() for line in self.screen.display)

    def until(self, words, seconds=60):
        end = time.monotonic() + seconds
        while words not in self.text():
            self.hear()
            assert time.monotonic() < end, f"{words!r} did not come:\n{self.text()}"
        return self.text()

    def press(self, keys):
        os.write(self.main, keys.encode())

    def ended(self):
        """The code; the terminal must be as it was."""
        end = time.monotonic() + 20
        while self.process.poll() is None and time.monotonic() < end:
            self.hear()
        self.hear()
        code = self.process.wait(timeout=10)
        check("the terminal is as before", termios.tcgetattr(self.inner) == self.before)
        check("and shows what it showed", b"\x1b[?1049h" in self.raw and b"\x1b[?1049l" in self.raw)
        check("with its cursor", self.raw.rstrip().rfind(b"\x1b[?25h") > self.raw.rfind(b"\x1b[?25l"))
        os.close(self.inner)
        os.close(self.main)
        return code


def walks(binary, folder):
    window = Window(binary, folder, "top", "--every", "1s")
    shown = window.until("cluster.train")
    check("it begins with the overview", "[1 Overview]" in shown and "2 ready" in shown, shown)
    check("it says what is spent", "Spend: $5.0" in shown and "Last apply: number 2" in shown, shown)
    check("it fits", all(len(line) <= 80 for line in shown.splitlines()))
    window.press("\t")
    shown = window.until("[2 Nodes]")
    check("tab shows nodes", shown.count("g5.8xlarge") == 2, shown)
    window.press("3")
    check("3 shows what costs how much", "network.main" in window.until("[3 Spend]"))
    window.press("\x1b[Z")
    window.until("[2 Nodes]")
    window.press("?")
    check("? shows the keys", "quit" in window.until("shift-tab"))
    window.press("?4")
    check("4 shows what happened", "apply 2: converged" in window.until("[4 Events]"))
    # Somebody else changes the world meanwhile.
    subprocess.run([binary, "sandbox", "edit", "bucket.datasets", "versioning", "false"], cwd=folder,
                   env={"PATH": os.environ["PATH"], "HOME": str(folder), "MLINFRA_SANDBOX": "1"}, check=True,
                   capture_output=True)
    window.press("1")
    check("it keeps up", "1 to change" in window.until("Configuration: applied, but drifted"), window.text())
    # A stack that cannot be read for a while is no reason to end.
    (folder / "main.hcl").rename(folder / "away")
    shown = window.until("failed:")
    check("what was seen stays", "cluster.train" in shown, shown)
    (folder / "away").rename(folder / "main.hcl")
    window.until("looked at")
    window.press("q")
    check("q ends it well", window.ended() == 0)


def ends(binary, folder):
    for name, end, code in (
            ("Ctrl-C", lambda it: it.press("\x03"), 0),
            ("SIGTERM", lambda it: it.process.send_signal(signal.SIGTERM), 130),
            ("SIGINT", lambda it: it.process.send_signal(signal.SIGINT), 130),
            ("SIGHUP", lambda it: it.process.send_signal(signal.SIGHUP), 130)):
        window = Window(binary, folder, "top", size=(160, 40))
        window.until("cluster.train")
        end(window)
        check(f"{name} ends it", window.ended() == code)


def vanishes(binary, folder):
    """A terminal that is closed, as when a connection breaks."""
    window = Window(binary, folder, "top")
    window.until("cluster.train")
    os.close(window.inner)
    os.close(window.main)
    code = window.process.wait(timeout=20)
    check("it ends with its terminal", code in (130, -signal.SIGHUP), code)


def colours(binary, folder):
    window = Window(binary, folder, "top", NO_COLOR="1")
    window.until("cluster.train")
    window.press("q")
    window.ended()
    found = [code for code in (b"\x1b[31m", b"\x1b[32m", b"\x1b[33m", b"\x1b[38;5;") if code in window.raw]
    check("NO_COLOR is heard", found == [], found)


def applies(binary, folder):
    """Live lines of an apply, interrupted in the middle."""
    window = Window(binary, folder, "apply", "--yes", MLINFRA_SANDBOX_CLOCK="real")
    shown = window.until("under way")
    check("how far it is", "steps done" in shown and "to come" in shown, shown)
    window.until("network.main/private-routes waits for network.main/nat")
    window.press("\x03")
    shown = window.until("Apply incomplete after")
    check("what is not done is counted", "1 cut off, 3 not begun" in shown, shown)
    check("what to do stands at the end", "`mlinfra apply`" in shown, shown)
    check("an interrupt is heard at once", b"Interrupted: calls in flight are finished first" in window.raw)
    check("its exit code says so", window.process.wait(timeout=20) == 130)
    check("no line of those that move is left", "under way" not in window.text(), window.text())


def main():
    binary, text = sys.argv[1], Path(sys.argv[2]).read_text()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "main.hcl").write_text(text)
        quiet = {"PATH": os.environ["PATH"], "HOME": scratch, "MLINFRA_SANDBOX": "1"}
        done = subprocess.run([binary, "top"], cwd=folder, env=quiet, capture_output=True, text=True)
        check("without a terminal it names `status`", done.returncode == 1 and "mlinfra status" in done.stderr, done.stderr)
        applies(binary, folder)
        subprocess.run([binary, "apply", "--yes"], cwd=folder, env=quiet, check=True, capture_output=True)
        walks(binary, folder)
        ends(binary, folder)
        vanishes(binary, folder)
        colours(binary, folder)
    print("top: all of it holds", flush=True)


try:
    main()
finally:
    # What still runs belongs to a check that did not hold.
    for process in STARTED:
        if process.poll() is None:
            process.kill()
