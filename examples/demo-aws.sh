#!/usr/bin/env bash
# The main job through the AWS SDK, against an emulator of AWS on this machine (moto).
set -euo pipefail
mlinfra=${1:?path of mlinfra} peers=${2:?path of the Python peers}
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
for name in $(env | grep -oE '^(AWS|MLINFRA)_[A-Z_]*' || true); do unset "$name"; done

coproc EMULATOR { exec "$peers/bin/python" "$here/../tests/peer/emulator.py" 0; }
emulator=$EMULATOR_PID
trap 'kill "$emulator" 2>/dev/null || true; wait "$emulator" 2>/dev/null || true; rm -rf "$dir"' EXIT
read -r port <&"${EMULATOR[0]}"

export AWS_ENDPOINT_URL="http://127.0.0.1:$port" AWS_REGION=us-east-1
export AWS_ACCESS_KEY_ID=demo AWS_SECRET_ACCESS_KEY=demo AWS_EC2_METADATA_DISABLED=true
export MLINFRA_INPUT=0
cp "$here"/quickstart/*.hcl "$dir"
cd "$dir"

run() { printf '\n$ mlinfra %s\n' "$*"; "$mlinfra" "$@"; }
expect() {
  local want=$1 code=0; shift
  run "$@" || code=$?
  if [ "$code" != "$want" ]; then echo "exit code $code instead of $want" >&2; exit 1; fi
}

expect 2 plan --detailed-exitcode --timings
run apply --yes
expect 0 plan --detailed-exitcode
printf '\nSomebody suspends versioning at a console:\n'
"$peers/bin/python" - <<'PY'
import boto3
s3 = boto3.client("s3")
name = next(b["Name"] for b in s3.list_buckets()["Buckets"] if "datasets" in b["Name"])
s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Suspended"})
print(f"  {name}: versioning suspended")
PY
expect 2 plan --detailed-exitcode
run apply --yes
run destroy --yes
