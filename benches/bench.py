#!/usr/bin/env python3
"""Measures mlinfra, and Terraform beside it where that is installed.

Generates the same stack for both tools in three shapes and several sizes, runs the
commands that people run all day, and prints for each the CPU time (user + system, of the
whole process), the peak memory, and how much more Terraform takes. mlinfra works in its
simulated region, Terraform on its built-in `terraform_data`, so that neither waits for a
network and what is measured is the tools' own work.

    benches/bench.py MLINFRA
    benches/bench.py MLINFRA --sizes 1000,10000,50000 --terraform no --json figures.json
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

CHAIN = 10  # separate blocks refer to the one before, in groups of this many
MODULES = 10


class Shape:
    """One stack, written for both tools."""

    def __init__(self, name, about, mlinfra, terraform):
        self.name, self.about = name, about
        self.mlinfra, self.terraform = mlinfra, terraform


def separate_mlinfra(size):
    blocks = ['stack "bench" {\n  region = "us-east-1"\n}\n']
    for i in range(size):
        link = f"\n    after  = bucket.b{i - 1}.name" if i % CHAIN else ""
        blocks.append(
            f'bucket "b{i}" {{\n  versioning = {str(i % 2 == 0).lower()}\n'
            f'  tags = {{\n    number = "{i}"{link}\n  }}\n}}\n'
        )
    return split(blocks, "main", "hcl")


def separate_terraform(size):
    blocks = []
    for i in range(size):
        link = f"\n    after  = terraform_data.b{i - 1}.id" if i % CHAIN else ""
        blocks.append(
            f'resource "terraform_data" "b{i}" {{\n  input = {{\n'
            f'    versioning = {str(i % 2 == 0).lower()}\n    number     = "{i}"{pad(link)}\n  }}\n}}\n'
        )
    return split(blocks, "main", "tf")


def pad(link):
    return link.replace("after  =", "after      =")


def split(blocks, name, ending, each=5000):
    """Files of at most so many blocks, as people would keep them."""
    files = {}
    for part, start in enumerate(range(0, len(blocks), each)):
        files[f"{name}{part}.{ending}"] = "\n".join(blocks[start : start + each])
    return files


def count_mlinfra(size):
    return {
        "main.hcl": f"""stack "bench" {{
  region = "us-east-1"
}}

bucket "b" {{
  count = {size}
  tags = {{
    number = "${{count.index}}"
  }}
}}
"""
    }


def count_terraform(size):
    return {
        "main.tf": f"""resource "terraform_data" "b" {{
  count = {size}
  input = {{
    number = "${{count.index}}"
  }}
}}
"""
    }


def modules_mlinfra(size):
    calls = "".join(
        f"""
module "m{at}" {{
  source = "./shelf"
  keys   = [for i in range({size // MODULES}) : "k${{i}}"]
}}
"""
        for at in range(MODULES)
    )
    return {
        "main.hcl": 'stack "bench" {\n  region = "us-east-1"\n}\n' + calls,
        "shelf/main.hcl": """variable "keys" {
  type = list(string)
}

bucket "b" {
  for_each = toset(var.keys)
  tags = {
    number = each.key
  }
}
""",
    }


def modules_terraform(size):
    calls = "\n".join(
        f"""module "m{at}" {{
  source = "./shelf"
  keys   = [for i in range({size // MODULES}) : "k${{i}}"]
}}
"""
        for at in range(MODULES)
    )
    return {
        "main.tf": calls,
        "shelf/main.tf": """variable "keys" {
  type = list(string)
}

resource "terraform_data" "b" {
  for_each = toset(var.keys)
  input = {
    number = each.key
  }
}
""",
    }


SHAPES = [
    Shape("separate", "separate blocks, chained in tens", separate_mlinfra, separate_terraform),
    Shape("count", "one block with count", count_mlinfra, count_terraform),
    Shape("modules", "ten modules with for_each", modules_mlinfra, modules_terraform),
]

# What is run, in this order: what comes behind apply needs what it has made, and destroy
# takes that away.
COMMANDS = [
    "validate", "fmt", "plan", "apply", "no-change",
    "drift", "show", "output", "history", "history-show", "destroy",
]
FIRST = ["validate", "fmt", "plan"]


class Tool:
    """How one tool is told to do each command."""

    def __init__(self, name, path, commands, prepare=None, env=None):
        self.name, self.path, self.commands = name, path, commands
        self.prepare, self.env = prepare, {**os.environ, **(env or {})}


def mlinfra(path):
    commands = {
        "validate": ["validate"],
        "fmt": ["fmt", "--check"],
        "plan": ["plan"],
        "apply": ["apply", "--yes"],
        "no-change": ["plan", "--detailed-exitcode"],
        "drift": ["drift"],
        "show": ["show"],
        "output": ["output"],
        "history": ["history"],
        "history-show": ["history", "show", "1"],
        "destroy": ["destroy", "--yes"],
    }
    env = {"MLINFRA_SANDBOX": "1", "MLINFRA_INPUT": "0"}
    return Tool("mlinfra", path, commands, env=env)


def terraform(path):
    plain = ["-input=false", "-no-color"]
    commands = {
        "validate": ["validate", "-no-color"],
        "fmt": ["fmt", "-check", "-recursive", "-no-color"],
        "plan": ["plan", *plain],
        "apply": ["apply", "-auto-approve", *plain],
        "no-change": ["plan", "-detailed-exitcode", *plain],
        "drift": ["plan", "-refresh-only", *plain],
        "show": ["show", "-no-color"],
        "output": ["output", "-no-color"],
        "destroy": ["destroy", "-auto-approve", *plain],
    }
    env = {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "TF_CLI_CONFIG_FILE": os.devnull}
    return Tool("terraform", path, commands, prepare=["init", *plain], env=env)


def run(tool, args, folder, limit):
    """One process: its CPU seconds and its peak memory in MiB; none when it took too long."""
    child = subprocess.Popen(
        [tool.path, *args],
        cwd=folder,
        env=tool.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    late = threading.Timer(limit, child.kill) if limit else None
    if late:
        late.start()
    tails = {}
    readers = [
        threading.Thread(target=lambda n=n, f=f: tails.update({n: drain(f)}))
        for n, f in (("out", child.stdout), ("err", child.stderr))
    ]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if late:
        late.cancel()
    if child.returncode == -9:
        return None
    if child.returncode != 0:
        words = " ".join([tool.name, *args])
        tail = (tails["out"] + tails["err"]).decode(errors="replace")[-2000:]
        raise Failed(f"{words}: exit code {child.returncode}\n{tail}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


class Failed(Exception):
    """A command ended otherwise than it should."""


def drain(pipe):
    """Reads to the end and keeps the last bytes: output is a part of the work."""
    tail = b""
    while chunk := pipe.read1(1 << 16):
        tail = (tail + chunk)[-4000:]
    return tail


def measure(tool, shape, size, args):
    """Every command on one stack."""
    files = (shape.mlinfra if tool.name == "mlinfra" else shape.terraform)(size)
    found = {}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        for name, text in files.items():
            path = Path(folder, name)
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        if tool.prepare:
            run(tool, tool.prepare, folder, args.limit)
        for command in COMMANDS:
            if command not in tool.commands or not wanted(command, args.commands):
                continue
            runs = 1 if command in ("apply", "destroy") or size > 10_000 else args.runs
            runs = runs if tool.name == "mlinfra" else min(runs, args.terraform_runs)
            took = [run(tool, tool.commands[command], folder, args.limit) for _ in range(runs)]
            if None in took:
                found[command] = None
                if command == "apply":
                    break
                continue
            found[command] = {
                "cpu_s": round(statistics.median(cpu for cpu, _ in took), 3),
                "peak_mib": round(max(peak for _, peak in took), 1),
                "runs": runs,
            }
    return found


def wanted(command, asked):
    """Whether a command is run: it was asked for, or it is the apply that others stand on."""
    return command in asked or (command == "apply" and any(c not in FIRST for c in asked))


def version(tool):
    told = subprocess.run([tool.path, "version"], capture_output=True, text=True, check=True)
    return told.stdout.splitlines()[0]


def table(rows, both):
    """The figures as Markdown, which a terminal shows well enough."""
    head = ["stack", "blocks", "command", "mlinfra CPU", "memory"]
    head += ["Terraform CPU", "memory", "ratio"] if both else []
    lines = [head, ["---"] * 3 + ["--:"] * (len(head) - 3)]
    for row in rows:
        cells = [row["shape"], f"{row['size']:,}", row["command"]]
        cells += figures(row.get("mlinfra"))
        if both:
            cells += figures(row.get("terraform")) + [ratio(row)]
        lines.append(cells)
    wide = [max(len(line[at]) for line in lines) for at in range(len(head))]
    out = []
    for line in lines:
        filled = [cell.ljust(w) if at < 3 else cell.rjust(w) for at, (cell, w) in enumerate(zip(line, wide))]
        out.append("| " + " | ".join(filled) + " |")
    return "\n".join(out)


def figures(found):
    if not found:
        return ["-", "-"]
    return [f"{found['cpu_s']:.2f} s", f"{found['peak_mib']:.0f} MiB"]


def ratio(row):
    ours, theirs = row.get("mlinfra"), row.get("terraform")
    return f"{theirs['cpu_s'] / ours['cpu_s']:.0f}×" if ours and theirs else ""


def words(text):
    return [word for word in text.split(",") if word]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("mlinfra", help="path of the binary; a release build")
    parser.add_argument("--sizes", default="1000,10000", help="objects in a stack")
    parser.add_argument("--shapes", default=",".join(s.name for s in SHAPES))
    parser.add_argument("--commands", default=",".join(COMMANDS))
    parser.add_argument("--runs", type=int, default=5, help="runs of a command; the median counts")
    parser.add_argument("--terraform", default="auto", help="auto, no, or a path")
    parser.add_argument("--terraform-runs", type=int, default=1)
    parser.add_argument("--terraform-sizes", default="1000", help="sizes that it is given too")
    parser.add_argument("--limit", type=float, default=1200, help="seconds for one command")
    parser.add_argument("--json", help="a file for the figures")
    args = parser.parse_args()
    args.mlinfra = str(Path(args.mlinfra).resolve())
    args.sizes = [int(size) for size in words(args.sizes)]
    args.terraform_sizes = [int(size) for size in words(args.terraform_sizes)]
    args.commands = words(args.commands)
    return args


def main():
    args = arguments()
    ours = mlinfra(args.mlinfra)
    path = shutil.which("terraform") if args.terraform == "auto" else args.terraform
    theirs = terraform(path) if path and path != "no" else None
    rows, failed = [], False
    for shape in (shape for shape in SHAPES if shape.name in words(args.shapes)):
        for size in args.sizes:
            found = {}
            for tool in filter(None, [ours, theirs]):
                if tool is theirs and size not in args.terraform_sizes:
                    continue
                began = time.monotonic()
                try:
                    found[tool.name] = measure(tool, shape, size, args)
                except Failed as why:
                    print(f"{shape.name} {size}: {why}", file=sys.stderr)
                    failed = True
                    continue
                took = time.monotonic() - began
                print(f"{tool.name}: {shape.about}, {size:,}: {took:.0f} s", file=sys.stderr)
            for command in args.commands:
                row = {"shape": shape.name, "size": size, "command": command}
                rows.append({**row, **{tool: told.get(command) for tool, told in found.items()}})
    tools = [version(tool) for tool in (ours, theirs) if tool]
    print(f"{'; '.join(tools)}; {time.strftime('%Y-%m-%d')}; {os.cpu_count()} CPUs, {platform.machine()}\n")
    print(table(rows, theirs is not None))
    if args.json:
        report = {"date": time.strftime("%Y-%m-%d"), "tools": tools, "cpus": os.cpu_count(), "rows": rows}
        Path(args.json).write_text(json.dumps(report, indent=2) + "\n")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
