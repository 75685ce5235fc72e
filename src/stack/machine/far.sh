#!/bin/bash
# The author's set-up is too long for user data: it is fetched from its bucket, and run only when
# it is what was asked for. It is kept, so that another boot needs no bucket.
set -euo pipefail

lib=${MLINFRA_LIB:-/usr/local/lib/mlinfra}
at=${MLINFRA_KEEP:-/var/lib/mlinfra}/setup
sum() { sha256sum "$1" 2>/dev/null | cut -d ' ' -f 1; }
{
  read -r arn
  read -r wanted
} <"${MLINFRA_ETC:-/etc/mlinfra}/setup"

if [ "$(sum "$at")" != "$wanted" ]; then
  PATH=$lib:$PATH cli
  mkdir -p "${at%/*}"
  new=$(mktemp "$at.XXXXXX")
  trap 'rm -f "$new"' EXIT
  from=s3://${arn#*:::}
  # A new right of a role reaches S3 after some seconds.
  tries=${MLINFRA_TRIES:-24}
  until aws s3 cp --quiet "$from" "$new"; do
    tries=$((tries - 1))
    if [ "$tries" -le 0 ]; then
      echo "it cannot be fetched from $from"
      exit 1
    fi
    sleep "${MLINFRA_PAUSE:-5}"
  done
  got=$(sum "$new")
  if [ "$got" != "$wanted" ]; then
    echo "its checksum is $got, and $wanted was asked for"
    exit 1
  fi
  chmod 700 "$new"
  mv "$new" "$at"
fi
exec "$at"
