#!/bin/bash
# EFA pins the memory that it sends from, far more than a process may by default. Whoever logs in,
# what systemd starts from now on, and every container of Docker may pin as much as there is.
set -euo pipefail

etc=${MLINFRA_ROOT:-}/etc
expect=$(imds tags/instance/mlinfra:expect || true)
case " $expect " in *' efa='*) ;; *) exit 0 ;; esac

mkdir -p "$etc/security/limits.d" "$etc/systemd/system.conf.d"
printf '%s - memlock unlimited\n' '*' root >"$etc/security/limits.d/99-mlinfra.conf"
conf=$etc/systemd/system.conf.d/mlinfra.conf
if [ ! -e "$conf" ]; then
  printf '[Manager]\nDefaultLimitMEMLOCK=infinity\n' >"$conf"
  systemctl daemon-reexec
fi
if command -v docker >/dev/null; then
  # Cloud-init is written in Python, so it is there. What somebody has set already stays.
  changed=$(python3 - "$etc/docker/daemon.json" <<'END'
import json, os, sys
at = sys.argv[1]
have = json.load(open(at)) if os.path.exists(at) and os.path.getsize(at) else {}
limits = have.setdefault("default-ulimits", {})
if "memlock" not in limits:
    limits["memlock"] = {"Name": "memlock", "Hard": -1, "Soft": -1}
    os.makedirs(os.path.dirname(at), exist_ok=True)
    with open(at + ".new", "w") as out:
        json.dump(have, out, indent=4)
    os.replace(at + ".new", at)
    print("changed")
END
  )
  if [ -n "$changed" ] && systemctl is-active --quiet docker; then systemctl restart docker; fi
fi
