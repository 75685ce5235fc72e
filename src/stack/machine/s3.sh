#!/bin/bash
# s3 URL FILE: an object of S3, into a file.
set -euo pipefail

cli
# A new right of a role reaches S3 after some seconds.
tries=${MLINFRA_TRIES:-24}
until aws s3 cp --quiet "$1" "$2"; do
  tries=$((tries - 1))
  if [ "$tries" -le 0 ]; then exit 1; fi
  sleep "${MLINFRA_PAUSE:-5}"
done
