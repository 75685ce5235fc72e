#!/usr/bin/env bash
# From clone to first plan, as on a machine that has Rust and nothing of ours: what each step costs,
# and where the build's share goes. The figures are CPU seconds, which a busy machine changes
# little; seconds of the clock stand beside them.
#
#   benches/first-plan.sh                           # the release build with the AWS SDK
#   benches/first-plan.sh --no-default-features     # what is after the script goes to cargo build
#
# REPOSITORY (this one), RUSTC_WRAPPER and CARGO_HOME of the caller are not used, but for the
# settings of the latter. Needs git, cargo, python3 and some 5 GB below TMPDIR for the time it takes.
set -euo pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
repository=${REPOSITORY:-$here}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

settings=${CARGO_HOME:-$HOME/.cargo}
mkdir "$work/cargo"
for name in config.toml config; do
  if [ -f "$settings/$name" ]; then cp "$settings/$name" "$work/cargo/"; fi
done
# The tools that rustup stands for are found by the toolchain's own path, also with another home.
PATH=$(dirname "$(rustc --print sysroot)/bin/rustc"):$PATH
export PATH CARGO_HOME=$work/cargo CARGO_TARGET_DIR=$work/target CARGO_INCREMENTAL=0

# Between cargo and each rustc: notes the crate, its kind and its CPU seconds.
cat > "$work/noted" <<'PYTHON'
#!/usr/bin/env python3
import os, resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
words = sys.argv[2:]
after = lambda flag: words[words.index(flag) + 1] if flag in words else ""
if after("--crate-name"):
    line = f"{after('--crate-name')} {after('--crate-type') or '-'} {used.ru_utime + used.ru_stime:.2f}\n"
    with open(os.environ["NOTES"], "a") as notes:
        notes.write(line)
sys.exit(code)
PYTHON
chmod +x "$work/noted"

# step NAME COMMAND…: runs it and notes user, system and clock seconds.
step() {
  local name=$1 TIMEFORMAT='%U %S %R'
  shift
  { time "$@" > "$work/said" 2>&1 || { cat "$work/said" >&2; exit 1; }; } 2> "$work/time" ||
    { cat "$work/time" >&2; exit 1; }
  printf '%s %s\n' "$name" "$(tail -n 1 "$work/time")" >> "$work/steps"
}

step clone git clone --quiet "$repository" "$work/mlinfra"
cd "$work/mlinfra"
step fetch cargo fetch --locked
NOTES=$work/notes RUSTC_WRAPPER=$work/noted step build cargo build --release --locked --offline "$@"
cd examples/quickstart
step plan "$CARGO_TARGET_DIR/release/mlinfra" plan --sandbox
step start "$CARGO_TARGET_DIR/release/mlinfra" version

echo "mlinfra $(git -C "$work/mlinfra" describe --always), cargo build --release --locked $*"
echo "$(rustc --version), $(nproc) processors, $(date -u +%F)"
echo
python3 - "$work/steps" "$work/notes" <<'PYTHON'
import sys

steps = {}
for line in open(sys.argv[1]):
    name, user, system, clock = line.split()
    steps[name] = (float(user) + float(system), float(clock))
rows = {"the AWS SDK": [], "other crates": [], "build scripts": [], "mlinfra, the library": [],
        "mlinfra, the program: linking": []}
for line in open(sys.argv[2]):
    crate, kind, cpu = line.split()
    if crate == "mlinfra":
        row = "mlinfra, the program: linking" if kind == "bin" else "mlinfra, the library"
    elif crate.startswith("build_script"):
        row = "build scripts"
    elif crate.startswith("aws_"):
        row = "the AWS SDK"
    else:
        row = "other crates"
    rows[row].append(float(cpu))
build = steps["build"][0]
rest = build - sum(sum(cpus) for cpus in rows.values())
print("| step | CPU | share of the build | clock |")
print("|---|--:|--:|--:|")
names = {"clone": "`git clone`", "fetch": "`cargo fetch`: all crates of the lock file",
         "build": "`cargo build`", "plan": "`mlinfra plan` of the quickstart", "start": "`mlinfra version`"}
for name, title in names.items():
    cpu, clock = steps[name]
    print(f"| {title} | {cpu:.2f} s | | {clock:.1f} s |")
    if name == "build":
        for row, cpus in rows.items():
            if cpus:
                crates = "" if row.startswith("mlinfra") else f" ({len(cpus)})"
                print(f"| – {row}{crates} | {sum(cpus):.1f} s | {sum(cpus) / build:.0%} | |")
        print(f"| – C code, cargo itself | {rest:.1f} s | {rest / build:.0%} | |")
PYTHON
