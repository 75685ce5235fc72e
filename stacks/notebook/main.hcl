# One GPU machine for notebooks that powers itself off when nobody uses it.
#
#   mlinfra apply --sandbox                start it (in a simulated region)
#   mlinfra apply                          start it again after it has gone
#   mlinfra apply --var running=false      end it now; home stays

stack "notebook" {
  region = var.region
}

variable "region" {
  type        = string
  default     = "us-east-1"
  description = "Where it stands."
}

variable "zone" {
  type        = string
  default     = "a"
  description = "The letter of the zone of its home, which is mounted there."
}

variable "accelerators" {
  type        = list(string)
  default     = ["L4:1", "A10G:1", "T4:1"]
  description = "What its GPU may be, in order of preference."
}

variable "running" {
  type        = bool
  default     = true
  description = "Whether it runs. It ends by itself; this ends it at once."
}

variable "idle_minutes" {
  type        = number
  default     = 60
  description = "It powers off when GPU and kernels were idle for so long."

  validation {
    condition     = var.idle_minutes >= 10
    error_message = "It needs ten minutes, or it goes while somebody reads."
  }
}

variable "home_size" {
  type        = string
  default     = "200GiB"
  description = "How large its home is. It grows and never shrinks."
}

variable "keep_home" {
  type        = bool
  default     = true
  description = "Its home is precious; false lets `destroy` delete it."
}

network "main" {
  cidr  = "10.60.0.0/20"
  zones = [var.zone]
}

# Notebooks, environments, data. It stays when the machine goes, and a plan
# that would delete it is refused.
volume "home" {
  size     = var.home_size
  zone     = var.zone
  precious = var.keep_home
}

cluster "box" {
  network      = network.main
  accelerators = var.accelerators
  nodes        = var.running ? 1 : 0
  image        = "dlami-pytorch"
  zones        = [var.zone]

  mount "/home/notebook" {
    from = volume.home
  }

  # Jupyter listens on this machine alone, without a password: who gets here
  # through Systems Manager may be here.
  setup = <<-SH
    #!/bin/bash
    set -euo pipefail
    # The same number on every machine that ever mounts this home.
    useradd --uid 2000 --home-dir /home/notebook --shell /bin/bash notebook
    chown notebook: /home/notebook
    python3 -m venv --system-site-packages /opt/notebook
    /opt/notebook/bin/pip install --quiet jupyterlab

    cat > /etc/systemd/system/notebook.service <<'UNIT'
    [Unit]
    Description=JupyterLab
    After=network-online.target

    [Service]
    User=notebook
    WorkingDirectory=/home/notebook
    ExecStart=/opt/notebook/bin/jupyter lab --no-browser --ip=127.0.0.1 --port=8888 --IdentityProvider.token=
    Restart=always

    [Install]
    WantedBy=multi-user.target
    UNIT

    # Busy: a GPU that computes, a kernel that runs, somebody who is logged in.
    cat > /usr/local/bin/idle-poweroff <<'SCRIPT'
    #!/bin/bash
    set -u
    stamp=/run/last-busy
    busy() {
      nvidia-smi --query-gpu=utilization.gpu --format=csv,noheader,nounits | grep -qv '^0$' && return
      curl -fs http://127.0.0.1:8888/api/kernels | grep -q '"execution_state": *"busy"' && return
      [ -n "$(who)" ]
    }
    if busy || [ ! -e "$stamp" ]; then touch "$stamp"; fi
    idle=$(( ($(date +%s) - $(stat -c %Y "$stamp")) / 60 ))
    if [ "$idle" -ge ${var.idle_minutes} ]; then
      logger -t idle-poweroff "nothing to do for $idle minutes"
      systemctl poweroff
    fi
    SCRIPT
    chmod +x /usr/local/bin/idle-poweroff

    cat > /etc/systemd/system/idle-poweroff.service <<'UNIT'
    [Unit]
    Description=Power off when nobody uses this machine

    [Service]
    Type=oneshot
    ExecStart=/usr/local/bin/idle-poweroff
    UNIT
    cat > /etc/systemd/system/idle-poweroff.timer <<'UNIT'
    [Unit]
    Description=Look every minute whether anybody uses this machine

    [Timer]
    OnBootSec=5min
    OnUnitActiveSec=1min

    [Install]
    WantedBy=timers.target
    UNIT
    systemctl daemon-reload
    systemctl enable --now notebook.service idle-poweroff.timer
  SH
}

output "connect" {
  value = join(" ", [
    "aws ssm start-session --document-name AWS-StartPortForwardingSession",
    "--parameters portNumber=8888,localPortNumber=8888 --target NODE",
  ])
  description = "NODE is the node's id, which `mlinfra nodes` shows; then http://localhost:8888 is it."
}
