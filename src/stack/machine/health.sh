#!/bin/bash
# health start: waits until the service is healthy, then has it asked now and then.
# health watch: one such question. The last line that is said is the reason.
# What it sources is written by `mlinfra apply`.
# shellcheck disable=SC2154
set -uo pipefail

lib=${MLINFRA_LIB:-/usr/local/lib/mlinfra}
etc=${MLINFRA_ETC:-/etc/mlinfra}
run=${MLINFRA_RUN:-/run/mlinfra}
PATH=$lib:$PATH
set -a
# shellcheck disable=SC1091
. "$etc/env"
set +a
# shellcheck disable=SC1091
. "$etc/service"
: "${image:=}" "${health_path:=}" "${health_port:=}" "${interval:=10}" "${timeout:=5}"
: "${retries:=3}" "${grace:=600}"

ask() {
  local port got code=0
  if [ ${#health_command[@]} -gt 0 ]; then
    got=$(timeout "$timeout" ${image:+docker exec mlinfra-service} "${health_command[@]}" 2>&1) || code=$?
    if [ "$code" -eq 124 ]; then echo "${health_command[0]} took too long"; fi
    if [ "$code" -ne 0 ] && [ "$code" -ne 124 ]; then
      echo "${health_command[0]} ended with $code: $(tail -n 1 <<<"$got")"
    fi
    return "$code"
  fi
  if [ -n "$health_path" ]; then
    got=$(curl -s --max-time "$timeout" -o /dev/null -w '%{http_code}' \
      "http://127.0.0.1:$health_port$health_path") || code=$?
    if [ "$code" -eq 28 ]; then
      echo "$health_path on port $health_port took too long"
    elif [ "$code" -ne 0 ]; then
      echo "nobody answers on port $health_port"
    elif [ "$got" -ge 400 ]; then
      echo "$health_path on port $health_port answers $got"
      code=1
    fi
    return "$code"
  fi
  for port in "${ports[@]}"; do
    if ! timeout "$timeout" bash -c ": </dev/tcp/127.0.0.1/$port" 2>/dev/null; then
      echo "nobody answers on port $port"
      return 1
    fi
  done
  if ! systemctl is-active --quiet mlinfra-service; then
    echo "it does not run"
    return 1
  fi
}

if [ "${1:-}" = start ]; then
  until why=$(ask); do
    if [ "$SECONDS" -ge "$grace" ]; then
      echo "not healthy after $grace s: $why"
      exit 1
    fi
    sleep "${MLINFRA_PAUSE:-$interval}"
  done
  rm -f "$run/unhealthy"
  systemctl start mlinfra-health.timer
  echo healthy
  exit 0
fi

# A boot that failed for another reason is not undone here.
count=$(cat "$run/unhealthy" 2>/dev/null || echo 0)
if why=$(ask); then
  if [ "$count" -ge "$retries" ]; then state ready; fi
  rm -f "$run/unhealthy"
  exit 0
fi
echo "$why"
count=$((count + 1))
echo "$count" >"$run/unhealthy"
if [ "$count" -eq "$retries" ]; then state unhealthy "health: $why"; fi
if [ $((count % retries)) -eq 0 ]; then systemctl restart --no-block mlinfra-service; fi
