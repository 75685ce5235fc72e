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

# The second half of a Lustre file system's name is AWS's choice.
lustre() {
  local found
  found=$(aws fsx describe-file-systems --region "$AWS_REGION" --file-system-ids "$1" \
    --query 'FileSystems[0].[DNSName,LustreConfiguration.MountName]' --output text)
  printf '%s@tcp:/%s\n' "${found%%$'\t'*}" "${found##*$'\t'}"
}

# The device of a volume. Another node may hold it for a while yet.
device() {
  local found=$disks/nvme-Amazon_Elastic_Block_Store_${1/-/} said='' letter
  for try in $(seq "${MLINFRA_TRIES:-60}"); do
    if [ -e "$found" ]; then
      readlink -f "$found"
      return
    fi
    # Names of devices are only a matter of form, but each is given once.
    letter=$(printf '%s' fghijklmnop | cut -c $((try % 11 + 1)))
    said=$(aws ec2 attach-volume --region "$AWS_REGION" --volume-id "$1" \
      --instance-id "$(imds instance-id)" --device "/dev/sd$letter" 2>&1 >/dev/null) || true
    sleep "${MLINFRA_PAUSE:-5}"
  done
  echo "volume $1 is not attached: $(tail -n 1 <<<"$said")"
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
    cli
    need_lustre
    source=$(lustre "$source")
    options+=,noatime,flock
    type=lustre
    ;;
  efs)
    need_efs
    source=${source%:/}:/
    options+=,tls,noresvport
    type=efs
    ;;
  ebs)
    cli
    at=$(device "$source") || {
      echo "$at"
      exit 1
    }
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
