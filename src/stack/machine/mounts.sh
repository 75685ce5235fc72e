#!/bin/bash
# Mounts what /etc/mlinfra/mounts lists, a line each: kind, source, path, ro or rw, by tabs.
# Entries stand in fstab, so that they are there after a reboot as well.
set -euo pipefail

list=${MLINFRA_ETC:-/etc/mlinfra}/mounts
fstab=${MLINFRA_FSTAB:-/etc/fstab}
disks=${MLINFRA_DISKS:-/dev/disk/by-id}

fetch() { curl -sfL --max-time 120 --retry 3 -o "$2" "$1"; }
ubuntu() { command -v apt-get >/dev/null; }

need_s3() {
  command -v mount-s3 >/dev/null && return
  if ! ubuntu; then
    packages mount-s3
    return
  fi
  local cpu=x86_64
  if [ "$(uname -m)" = aarch64 ]; then cpu=arm64; fi
  fetch "https://s3.amazonaws.com/mountpoint-s3-release/latest/$cpu/mount-s3.deb" /tmp/mount-s3.deb
  packages /tmp/mount-s3.deb
}

need_lustre() {
  command -v mount.lustre >/dev/null && return
  if ! ubuntu; then
    packages lustre-client
    return
  fi
  local ring=/usr/share/keyrings/fsx-ubuntu-public-key.gpg
  fetch https://fsx-lustre-client-repo-public-keys.s3.amazonaws.com/fsx-ubuntu-public-key.asc /tmp/fsx.asc
  gpg --batch --yes --dearmor -o "$ring" /tmp/fsx.asc
  # shellcheck disable=SC1091
  echo "deb [signed-by=$ring] https://fsx-lustre-client-repo.s3.amazonaws.com/ubuntu" \
    "$(. /etc/os-release && echo "$VERSION_CODENAME") main" >/etc/apt/sources.list.d/fsx-lustre.list
  apt-get -o DPkg::Lock::Timeout=300 update -q
  packages "lustre-client-modules-$(uname -r)"
}

need_efs() {
  command -v mount.efs >/dev/null && return
  if ! ubuntu; then
    packages amazon-efs-utils
    return
  fi
  fetch https://amazon-efs-utils.aws.com/efs-utils-installer.sh /tmp/efs-utils.sh
  sh /tmp/efs-utils.sh --install
}

# The device of a volume, which somebody is attaching perhaps.
device() {
  local found=$disks/nvme-Amazon_Elastic_Block_Store_${1/-/}
  for _ in $(seq "${MLINFRA_TRIES:-60}"); do
    if [ -e "$found" ]; then
      readlink -f "$found"
      return
    fi
    sleep "${MLINFRA_PAUSE:-5}"
  done
  echo "volume $1 is not attached" >&2
  return 1
}

# fstab has no quotes.
escape() {
  local text=${1//\\/\\134}
  text=${text// /\\040}
  echo "${text//#/\\043}"
}

while IFS=$'\t' read -r kind source path mode; do
  [ -n "$kind" ] || continue
  name="$kind $source"
  options=_netdev,nofail,$mode
  case $kind in
  s3)
    need_s3
    source=s3://${source#s3://}
    options+=,nosuid,nodev,allow-other
    if [ "$mode" = rw ]; then options+=,allow-delete,allow-overwrite; fi
    type=mount-s3
    ;;
  lustre)
    need_lustre
    options+=,noatime,flock
    type=lustre
    ;;
  efs)
    need_efs
    options+=,tls,noresvport
    type=efs
    ;;
  ebs)
    at=$(device "$source")
    # Only a blank disk gets a file system: whatever it holds is somebody's.
    held=$(blkid -o value -s TYPE "$at" || true)
    if [ -z "$held" ]; then
      mkfs.ext4 -q "$at"
      held=ext4
    fi
    source=UUID=$(blkid -o value -s UUID "$at")
    options=nofail,noatime,$mode
    type=$held
    ;;
  *)
    echo "nobody can mount a $kind at $path"
    exit 1
    ;;
  esac
  line="$(escape "$source") $(escape "$path") $type $options 0 0"
  mkdir -p "$path"
  grep -qxF "$line" "$fstab" || echo "$line" >>"$fstab"
  mountpoint -q "$path" || mount "$path" || {
    echo "$name cannot be mounted at $path"
    exit 1
  }
done <"$list"
