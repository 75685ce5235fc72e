#!/usr/bin/env bash
# The main job in a simulated region, each command with its output.
set -euo pipefail
mlinfra=${1:?path of mlinfra}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cp "$(dirname "$0")"/quickstart/*.hcl "$dir"
cd "$dir"
export MLINFRA_SANDBOX=1 MLINFRA_INPUT=0
unset MLINFRA_VAR_nodes

say() { printf '\n\033[1m# %s\033[0m\n' "$*"; }
run() { printf '\n$ mlinfra %s\n' "$*"; "$mlinfra" "$@"; }
# Runs a command that must end with the given exit code.
expect() {
  local want=$1 code=0; shift
  run "$@" || code=$?
  if [ "$code" != "$want" ]; then echo "exit code $code instead of $want" >&2; exit 1; fi
}

say "The plan: what would be made, and why"
expect 2 plan --detailed-exitcode
say "Apply it: no account, a simulated region"
run apply --yes
say "A second plan is empty"
expect 0 plan --detailed-exitcode
say "A stranger changes something; the plan names exactly that"
run sandbox edit bucket.datasets versioning false
expect 2 plan --detailed-exitcode
say "Repair it"
run apply --yes
say "All local files of mlinfra are lost; the plan is still empty, for the cloud is the state"
rm -rf .mlinfra
expect 0 plan --detailed-exitcode
say "Take everything away"
run destroy --yes
run show
