#!/bin/bash
# packages NAME...: by apt or dnf. The image updates itself at its first boot, so the lock
# may be held for a while.
set -euo pipefail

if command -v apt-get >/dev/null; then
  export DEBIAN_FRONTEND=noninteractive
  lock=(-o DPkg::Lock::Timeout=300)
  apt-get "${lock[@]}" install -y -q "$@" && exit 0
  apt-get "${lock[@]}" update -q
  apt-get "${lock[@]}" install -y -q "$@"
else
  dnf install -y -q "$@"
fi
