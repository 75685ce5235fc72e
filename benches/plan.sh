#!/usr/bin/env bash
# Plans N separate blocks from nothing and with no changes, in the simulated region, and
# applies them: CPU seconds (user + system) and peak memory of the whole process, the
# median of five runs.
set -euo pipefail
mlinfra=${1:?path of mlinfra} blocks=${2:-1000}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
{
  printf 'stack "bench" {\n  region = "us-east-1"\n}\n'
  for i in $(seq "$blocks"); do
    printf '\nbucket "b%s" {\n  versioning = %s\n  tags = {\n    number = "%s"\n  }\n}\n' \
      "$i" "$([ $((i % 2)) = 0 ] && echo true || echo false)" "$i"
  done
} > main.hcl
export MLINFRA_SANDBOX=1 MLINFRA_INPUT=0

measure() { # name, runs, command…
  python3 - "$@" <<'PY'
import resource, statistics, subprocess, sys, os
name, runs, command = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
cpu, peak = [], 0
for _ in range(runs):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        sys.exit(f"{name}: exit code {done.returncode}")
    cpu.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    peak = after.ru_maxrss
print(f"{name:<28} {statistics.median(cpu):6.3f} s CPU   {peak / 1024:6.1f} MiB")
PY
}

echo "$blocks blocks"
measure "validate" 5 "$mlinfra" validate
measure "plan from nothing" 5 "$mlinfra" plan
measure "apply" 1 "$mlinfra" apply --yes
measure "plan with no changes" 5 "$mlinfra" plan
