"""Has the real `cloud-init schema` judge cloud-configs, and reads them as cloud-init does.

Arguments: files; with `--read` first they are only read. Standard output: one line of JSON per file, with what the command said when
it refused it, and the files, keys and users in it. Exit code 1 when it refused any.
"""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import yaml

PACKAGES = Path(sys.prefix) / "cloud-init/usr/lib/python3/dist-packages"


def judge(path):
    """What `cloud-init schema` says against a file; nothing when it is valid."""
    command = [sys.executable, "-m", "cloudinit.cmd.main", "schema", "--config-file", path]
    env = {**os.environ, "PYTHONPATH": str(PACKAGES)}
    said = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    text = said.stdout + said.stderr
    if said.returncode == 0 and "Valid" in text and "deprecat" not in text.lower():
        return None
    return text or f"exit code {said.returncode}"


def content(entry):
    """The bytes of a file that would be written, as text."""
    text = entry.get("content", "")
    return base64.b64decode(text).decode() if entry.get("encoding") == "b64" else text


def main():
    assert PACKAGES.is_dir(), f"{PACKAGES} is not there: run `make peers`"
    bad, paths = False, sys.argv[1:]
    only_read = paths[0] == "--read"
    for path in paths[1:] if only_read else paths:
        wrong = None if only_read else judge(path)
        bad = bad or wrong is not None
        read = yaml.safe_load(Path(path).read_text()) if wrong is None else {}
        files = {entry["path"]: content(entry) for entry in read.get("write_files", [])}
        keys, users = read.get("ssh_authorized_keys", []), read.get("users", [])
        print(json.dumps({"wrong": wrong, "files": files, "keys": keys, "users": users}))
    sys.exit(1 if bad else 0)


main()
