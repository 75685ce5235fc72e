#!/bin/bash
# state WORD [REASON]: says how this node is, to whoever boots it, on the console, and as a
# tag to everyone. The agent, where there is one, reads the file and tags the instance itself.
set -euo pipefail

run=${MLINFRA_RUN:-/run/mlinfra}
reason=$(printf '%s' "${2:-}" | tr -cs 'A-Za-z0-9_.:/+@=-' ' ' | cut -c 1-200 | sed 's/ *$//')
printf '%s\n%s\n' "$1" "$reason" >"$run/boot.new"
mv "$run/boot.new" "$run/boot"
echo "mlinfra: $1 $reason"
if ! systemctl is-active --quiet mlinfra-node 2>/dev/null; then
  tag "mlinfra:state=$1" "mlinfra:reason=$reason" || echo "mlinfra: the state could not be tagged"
fi
