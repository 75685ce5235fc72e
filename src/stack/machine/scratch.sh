#!/bin/bash
# Local NVMe disks as one file system at $MLINFRA_SCRATCH; several of them as RAID-0.
# What the image has mounted already is used as it is.
set -euo pipefail

path=$MLINFRA_SCRATCH
kind=$MLINFRA_SCRATCH_FS
fstab=${MLINFRA_FSTAB:-/etc/fstab}
disks=${MLINFRA_DISKS:-/dev/disk/by-id}
dlami=${MLINFRA_DLAMI:-/opt/dlami}

entry() { grep -qxF "$1" "$fstab" || echo "$1" >>"$fstab"; }
open() { mkdir -p "$path" && mount "$path" && chmod 1777 "$path"; }

if mountpoint -q "$path"; then exit 0; fi

mapfile -t all < <(find "$disks" -name 'nvme-Amazon_EC2_NVMe_Instance_Storage_*' ! -name '*-part*' \
  -exec readlink -f {} + | sort -u)
if [ "${#all[@]}" -eq 0 ]; then
  echo "there are no local disks"
  exit 0
fi

# Deep Learning AMIs mount the disks themselves, some time during the boot.
if [ -d "$dlami" ]; then
  for _ in 1 2 3 4 5 6; do
    if mountpoint -q "$dlami/nvme"; then
      entry "$dlami/nvme $path none bind,nofail,x-systemd.requires-mounts-for=$dlami/nvme 0 0"
      open
      exit 0
    fi
    sleep "${MLINFRA_PAUSE:-5}"
  done
fi

# A file system of an earlier boot.
label=mlscratch
line="LABEL=$label $path $kind defaults,noatime,nofail 0 2"
if blkid -L "$label" >/dev/null; then
  entry "$line"
  open
  exit 0
fi

blank=()
for disk in "${all[@]}"; do
  if [ -z "$(lsblk -nro FSTYPE,MOUNTPOINT "$disk" | tr -d '[:space:]')" ]; then blank+=("$disk"); fi
done

case ${#blank[@]} in
0)
  echo "no local disk is free"
  exit 0
  ;;
1) target=${blank[0]} ;;
*)
  command -v mdadm >/dev/null || packages mdadm
  target=/dev/md/mlinfra
  mdadm --create "$target" --run --level=0 --name=mlinfra --raid-devices="${#blank[@]}" "${blank[@]}"
  ;;
esac
if ! command -v "mkfs.$kind" >/dev/null; then
  if [ "$kind" = xfs ]; then packages xfsprogs; else packages e2fsprogs; fi
fi
"mkfs.$kind" -L "$label" "$target"
entry "$line"
open
