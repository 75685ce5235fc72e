#!/bin/bash
# Every boot of a node, step by step. What fails is said on the console and, as a tag, to
# everyone: a node is ready only when every step was.
set -uo pipefail

lib=${MLINFRA_LIB:-/usr/local/lib/mlinfra}
etc=${MLINFRA_ETC:-/etc/mlinfra}
run=${MLINFRA_RUN:-/run/mlinfra}
keep=${MLINFRA_KEEP:-/var/lib/mlinfra}
mkdir -p "$run/jobs" "$keep"
# Jobs of every user announce themselves there.
chmod 1777 "$run/jobs"
export HOME=${HOME:-/root}
set -a
# shellcheck disable=SC1091
. "$etc/env"
set +a
theirs=$PATH
PATH=$lib:$PATH

# The last line that a step says is the reason when it fails.
step() {
  local name=$1 code
  shift
  echo "mlinfra: $name"
  "$@" 2>&1 | tee "$run/$name.log"
  code=${PIPESTATUS[0]}
  if [ "$code" -eq 0 ]; then return 0; fi
  if [ "$code" -eq 124 ]; then
    state unhealthy "$name: took too long"
  else
    state unhealthy "$name: $(grep -v '^ *$' "$run/$name.log" | tail -n 1)"
  fi
  exit 1
}

driver() {
  command -v nvidia-smi >/dev/null || [ -n "$(find "${MLINFRA_DEV:-/dev}" -maxdepth 1 -name 'neuron[0-9]*')" ]
}

state booting
for name in agent scratch mounts containers efa; do
  if [ -x "$lib/$name" ]; then step "$name" "$lib/$name"; fi
done
setup() {
  if [ -x "$lib/setup" ] && [ ! -e "$keep/setup-done" ]; then
    step setup env "PATH=$theirs" "$lib/setup"
    touch "$keep/setup-done"
  fi
}
# An image without a driver gets it from the author's part, before anybody looks for the GPUs;
# containers can use them only then. With a driver, a bad machine is found before that.
if [ -x "$lib/setup" ] && ! driver; then
  setup
  for name in containers efa; do
    if [ -x "$lib/$name" ]; then step "$name" "$lib/$name"; fi
  done
fi
step check timeout "${MLINFRA_CHECK_SECONDS:-60}" "$lib/check"
setup
if [ -e "$etc/service" ]; then
  step service "$lib/service" start
  step health "$lib/health" start
fi
state ready
