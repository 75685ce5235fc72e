"""`init` at a pseudo-terminal by somebody with an account: the emulator's. It finds the profiles, says
whose they are, makes the ledger's bucket, and what it wrote is planned, applied and destroyed there.
"""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

from roundtrip import Mlinfra, check

DOWN = "\x1b[B"
BUCKET = "mlinfra-ledger-123456789012-us-east-1-an"
CREDENTIALS = """[team]
aws_access_key_id = test
aws_secret_access_key = test

[other]
aws_access_key_id = other
aws_secret_access_key = other
"""
CONFIG = "[profile team]\nregion = us-west-2\n\n[profile other]\nregion = eu-west-1\n"


class Person:
    """Somebody at a terminal of 80 columns and 50 rows."""

    def __init__(self, binary, folder, env, *args):
        self.seen, self.heard = "", 0
        self.main, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 80, 0, 0))
        self.process = subprocess.Popen(
            [binary, "init", *args], cwd=folder, env={**env, "TERM": "xterm", "NO_COLOR": "1"},
            stdin=inner, stdout=inner, stderr=inner, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(inner)

    def hears(self, words, seconds=120):
        """Waits until a text, or what a pattern describes, is said behind what was heard before."""
        pattern = words if isinstance(words, re.Pattern) else re.compile(re.escape(words))
        end = time.monotonic() + seconds
        while not (found := pattern.search(self.seen, self.heard)):
            if time.monotonic() > end or not self.read():
                sys.exit(f"{words!r} was not said:\n{self.seen}")
        self.heard = found.end()
        return found.group()

    def read(self):
        if select.select([self.main], [], [], 1)[0]:
            try:
                data = os.read(self.main, 65536)
            except OSError:
                return False
            # Neither colours nor movements of the cursor.
            self.seen += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", data.decode(errors="replace"))
        return True

    def says(self, key, keys):
        self.hears(re.compile(rf"[\r\n]{key}( \[[^\r\n]*\])?: "))
        os.write(self.main, f"{keys}\n".encode())

    def ends(self, code):
        while self.process.poll() is None or select.select([self.main], [], [], 0)[0]:
            if not self.read():
                break
        check(f"it ends with {code}", self.process.wait(timeout=60), code)
        os.close(self.main)


def with_an_account(binary, root, s3):
    home, folder = Path(root) / "home", Path(root) / "llm"
    (home / ".aws").mkdir(parents=True)
    folder.mkdir()
    (home / ".aws/credentials").write_text(CREDENTIALS)
    (home / ".aws/config").write_text(CONFIG)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "MLINFRA_INPUT"):
        os.environ.pop(name, None)
    os.environ["HOME"] = str(home)
    person = Person(binary, folder, os.environ)
    person.hears("The arrow keys choose")
    person.hears("other  its region is eu-west-1")
    # Down to the other profile and around to the first; then back to it, by what is typed.
    person.says("profile", DOWN)
    person.hears("profile = other")
    person.says("name", "<")
    person.says("profile", "team")
    person.hears("profile = team")
    person.hears("AWS account 123456789012, as arn:aws:")
    person.says("name", "")
    check("the profile's region is proposed", person.hears(re.compile(r"region \[.*?\]: ")), "region [us-west-2]: ")
    os.write(person.main, b"us-east-1\n")
    person.hears("us-east-1: 6 zones")
    for key in ("gpu", "gpus", "engine"):
        person.says(key, "")
    person.says("nodes", "2")
    for key in ("gang", "capacity"):
        person.says(key, "")
    person.hears("Where it can run, best first:")
    for key in ("max_price", "datasets", "checkpoints", "scratch", "access"):
        person.says(key, "")
    person.hears(BUCKET)
    person.says("ledger", DOWN)
    person.hears("ledger = bucket")
    for key in ("guard_account", "budget"):
        person.says(key, "")
    person.hears('account = "123456789012"')
    person.hears('backend "s3" {')
    person.hears(f"`yes` also makes s3://{BUCKET}")
    check("nothing is made yet", s3.list_buckets()["Buckets"], [])
    person.says("write", "")
    person.hears(f"made s3://{BUCKET}: private, encrypted")
    person.hears("written: main.hcl")
    for words in ("Plan: ", "Cost: ", "Next:", "mlinfra apply --profile team"):
        person.hears(words)
    person.ends(0)

    os.environ["AWS_PROFILE"] = "team"
    mlinfra = Mlinfra(binary, folder)
    mlinfra.run("fmt", "--check")
    mlinfra.run("validate")
    mlinfra.run("apply", "--yes")
    mlinfra.run("plan", "--detailed-exitcode")
    check("the ledger is in the bucket", f"s3://{BUCKET}/mlinfra/llm" in mlinfra.run("ledger", "show"), True)
    check("and not beside the files", (folder / ".mlinfra").exists(), False)
    mlinfra.run("destroy", "--yes")
    names = [b["Name"] for b in s3.list_buckets()["Buckets"]]
    check("the ledger's bucket alone stays", names, [BUCKET])


def where_nobody_answers(binary, root):
    """Credentials that lead nowhere: the simulated region is offered, and AWS for later."""
    folder = Path(root) / "away"
    folder.mkdir()
    env = {**os.environ, "AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_PROFILE": "team"}
    person = Person(binary, folder, env)
    person.hears("no AWS account can be reached")
    person.hears("Where shall it run?")
    person.says("cloud", DOWN)
    person.hears("cloud = aws")
    person.says("name", "<")
    person.says("cloud", "sandbox")
    person.hears("cloud = sandbox")
    person.hears("name [away]: ")
    os.write(person.main, b"\x03")
    person.hears("Left, and nothing was written. The answers are kept")
    person.ends(130)
    check("nothing is written", [path.name for path in folder.iterdir()], [".mlinfra"])
