#!/bin/bash
# Whether this machine is what was paid for. The tag mlinfra:expect of its launch says how
# many accelerators and EFA devices it must have, such as `nvidia=8 efa=32`. The last line
# that is said is the reason. `check watch` is the same while jobs run: it waits for nothing and
# asks nothing of the GPUs that a job would notice.
set -euo pipefail

mode=${1:-boot}
PATH=$(dirname "$0"):$PATH

sys=${MLINFRA_SYS:-/sys}
dev=${MLINFRA_DEV:-/dev}

bad() {
  echo "$*"
  exit 1
}

# A node without the tag, of a type that nobody knows, is held to nothing but its own driver.
expect=$(imds tags/instance/mlinfra:expect || true)
nvidia='' neuron='' efa=''
for word in $expect; do
  case $word in
  nvidia=*) nvidia=${word#*=} ;;
  neuron=*) neuron=${word#*=} ;;
  efa=*) efa=${word#*=} ;;
  esac
done
echo "expected: ${expect:-nothing}"

# A folder that is not there holds none.
count() { { find "$1" -maxdepth 1 -name "$2" 2>/dev/null || true; } | wc -l; }

names=''
if [ -n "$nvidia" ] && ! command -v nvidia-smi >/dev/null; then
  bad "no NVIDIA driver: nvidia-smi is missing"
fi
if command -v nvidia-smi >/dev/null && { [ -n "$nvidia" ] || [ -e "$dev/nvidia0" ]; }; then
  fields=index,name,driver_version,ecc.errors.uncorrected.volatile.total
  table=$(nvidia-smi --query-gpu="$fields" --format=csv,noheader,nounits 2>&1) ||
    bad "nvidia-smi: $(tail -n 1 <<<"$table")"
  echo "$table"
  names=$(cut -d , -f 2 <<<"$table")
  found=$(grep -c '^[0-9]' <<<"$table" || true)
  if [ -n "$nvidia" ] && [ "$found" -ne "$nvidia" ]; then bad "$found of $nvidia GPUs"; fi
  # GPUs without ECC say [N/A].
  faulty=$(awk -F ', *' '$4 ~ /^[0-9]+$/ && $4 > 0 { print $1 }' <<<"$table" | paste -sd ' ' -)
  if [ -n "$faulty" ]; then bad "uncorrected ECC errors on GPU $faulty"; fi
  rows=$(nvidia-smi --query-remapped-rows=remapped_rows.failure --format=csv,noheader 2>/dev/null || true)
  if grep -qix 'yes\|1' <<<"$rows"; then bad "row remapping has failed on a GPU"; fi
fi

if [ -n "$neuron" ]; then
  found=$(count "$dev" 'neuron[0-9]*')
  if [ "$found" -ne "$neuron" ]; then bad "$found of $neuron Neuron devices"; fi
fi

# What the driver has reported since the boot, by what helps against it. What is not listed
# is watched only, like 13, 31, 43, 63, 81, 92, 94, 121, 125, 126, 144 to 150, 154, 157, 159
# and 162 to 165.
remedy() {
  case $1 in
  54) echo isolate ;;
  79 | 151 | 168) echo reboot ;;
  64 | 95) case $names in *A100*) echo reboot ;; *) echo reset ;; esac ;;
  48 | 74 | 109 | 110 | 119 | 120 | 136 | 140 | 143 | 155 | 156 | 158) echo reset ;;
  *) echo watch ;;
  esac
}
log=$(dmesg 2>/dev/null || journalctl -k -b --no-pager 2>/dev/null || true)
worst=''
while read -r xid; do
  what=$(remedy "$xid")
  echo "Xid $xid: $what"
  case $what/$worst in
  watch/* | reset/reset* | reset/reboot* | reset/isolate* | reboot/reboot* | reboot/isolate* | isolate/isolate*) ;;
  *)
    worst="$what after Xid $xid"
    # A switch's own error beside it says whose fault 74 is.
    if [ "$xid" = 74 ] && grep -q 'SXid (' <<<"$log"; then worst="$worst: NVSwitch"; fi
    ;;
  esac
done < <(sed -n 's/.*NVRM: Xid ([^)]*): \([0-9][0-9]*\).*/\1/p' <<<"$log" | sort -nu)
if [ -n "$worst" ]; then bad "$worst"; fi

# On some types the devices come late.
if [ -n "$efa" ]; then
  found=0
  for try in 1 2 3 4; do
    found=$(count "$sys/class/infiniband" '*[0-9]*')
    if [ "$found" -ge "$efa" ]; then break; fi
    if [ "$mode" = watch ]; then break; fi
    if [ "$try" -lt 4 ]; then sleep "${MLINFRA_PAUSE:-5}"; fi
  done
  missing=''
  for module in efa ib_uverbs; do
    if [ ! -d "$sys/module/$module" ]; then missing+=" $module"; fi
  done
  if [ "$found" -lt "$efa" ]; then bad "$found of $efa EFA devices${missing:+, not loaded:$missing}"; fi
  # Without the second one programs cannot reach the devices.
  if [ -n "$missing" ]; then bad "kernel modules of EFA are not loaded:$missing"; fi
fi
if [ -n "$efa" ] && [ "$mode" = boot ]; then
  # Libfabric comes with AWS's installer, beside the PATH.
  PATH=$PATH:${MLINFRA_EFA:-/opt/amazon/efa}/bin
  if command -v fi_info >/dev/null; then
    report=$(timeout 20 fi_info -p efa 2>&1) || bad "fi_info finds no EFA: $(tail -n 1 <<<"$report")"
    if ! grep -q 'provider: *efa' <<<"$report"; then bad "fi_info finds no EFA"; fi
  fi
  # What whoever logs in may pin, in KiB: 16 GiB are the least that EFA is good with.
  pin=$(runuser -u nobody -- sh -c 'ulimit -l' 2>/dev/null || echo unknown)
  case $pin in
  unlimited | unknown) ;;
  *) if [ "$pin" -lt 16777216 ]; then bad "only $pin KiB of memory may be pinned, EFA wants 16 GiB"; fi ;;
  esac
fi

# What DCGM has noticed in passing; at the boot its short diagnosis, which runs on the GPUs.
if [ "$mode" = watch ] && [ -n "$nvidia" ] && command -v dcgmi >/dev/null; then
  report=$(timeout 10 dcgmi health --check 2>/dev/null || true)
  if grep -qi 'overall health.*failure' <<<"$report"; then
    what=$(grep -vi 'overall health' <<<"$report" | grep -im 1 'failure' | tr '|' ' ' || true)
    bad "DCGM: $(awk '{ $1 = $1; print }' <<<"$what")"
  fi
fi
if [ "$mode" = boot ] && [ -n "$nvidia" ] && command -v dcgmi >/dev/null; then
  if systemctl is-active --quiet nvidia-dcgm 2>/dev/null || systemctl start nvidia-dcgm 2>/dev/null; then
    # Errors of PCIe, memory, NVLink and the driver are noticed from now on.
    dcgmi health --set a >/dev/null 2>&1 || true
    report=$(timeout 30 dcgmi diag -r 1 2>&1) || {
      code=$?
      # Slowness is no fault of the GPU.
      if [ "$code" -ne 124 ]; then bad "DCGM: $(grep -im 1 'fail' <<<"$report" | tr '|' ' ' | awk '{ $1 = $1; print }')"; fi
    }
  fi
fi
echo good
