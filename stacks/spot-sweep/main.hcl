# Many small jobs on spot instances: the fleet follows the queue, from nothing
# and back.
#
#   mlinfra apply --sandbox --yes              make it, in a simulated region
#   mlinfra autoscale once --dry-run --sandbox what the autoscaler would do now
#   mlinfra autoscale run                      leave it alone with a budget

stack "spot-sweep" {
  region = var.region

  # Refused where it would cost more at once; a warning where it could grow to
  # more.
  budget {
    per_hour = var.budget
  }
}

variable "region" {
  type        = string
  default     = "us-east-1"
  description = "Where the fleet stands."
}

variable "accelerators" {
  type        = list(string)
  default     = ["L4:1", "A10G:1", "T4:1"]
  description = "What a node may have: the more kinds, the likelier is spot."
}

variable "most" {
  type        = number
  default     = 32
  description = "The most nodes that may run at once."
}

variable "max_price" {
  type        = number
  default     = 0.9
  description = "The most that a node may cost, USD per hour."
}

variable "budget" {
  type        = number
  default     = 30
  description = "What all of it may cost, USD per hour."
}

variable "agent_sha256" {
  type        = string
  default     = "0000000000000000000000000000000000000000000000000000000000000000"
  description = "SHA-256 of the mlinfra binary in the bucket `tools`."
}

network "main" {
  cidr = "10.50.0.0/16"
}

# What the jobs need: code, configuration, and the agent's binary.
bucket "tools" {}

# What comes out.
bucket "results" {}

# A message is one trial on one GPU. A trial that a spot interruption ends
# comes back after the visibility timeout; one that fails three times goes to
# the dead-letter queue.
queue "trials" {
  visibility_timeout = "30m"
  max_receives       = 3

  job = {
    gpus        = 1
    preemptible = true
  }
}

cluster "workers" {
  network      = network.main
  accelerators = var.accelerators
  capacity     = ["spot", "on-demand"] # on demand only where spot has nothing
  max_price    = var.max_price

  # Trials do not know each other: whatever can be had starts, in any zone, of
  # any type.
  nodes = {
    min  = 0
    max  = var.most
    gang = false
  }

  read  = [bucket.tools]
  write = [bucket.results]
  queue = queue.trials

  autoscale {
    idle_timeout   = "5m"
    latency_target = "cheapest" # nobody waits at a terminal for a sweep

    budget {
      per_hour = var.budget
    }
  }

  # Says what a node does, finishes the job before the node goes, and tells the
  # job two minutes ahead when AWS wants a spot instance back.
  agent {
    url    = "s3://${bucket.tools.name}/mlinfra"
    sha256 = var.agent_sha256
  }

  # Takes one message after the other. A job is a script in the bucket that
  # gets the message as its argument; the message is deleted when the script
  # has ended well.
  setup = <<-SH
    #!/bin/bash
    set -euo pipefail
    aws s3 cp "s3://${bucket.tools.name}/trial" /usr/local/bin/trial
    chmod +x /usr/local/bin/trial

    cat > /usr/local/bin/take-trials <<'SCRIPT'
    #!/bin/bash
    set -uo pipefail
    while true; do
      message=$(aws sqs receive-message --queue-url "$1" --wait-time-seconds 20 \
        --query 'Messages[0].[ReceiptHandle,Body]' --output text)
      [ -n "$message" ] && [ "$message" != None ] || continue
      handle=$(cut -f1 <<<"$message")
      if mlinfra node run -- trial "$(cut -f2- <<<"$message")" "$2"; then
        aws sqs delete-message --queue-url "$1" --receipt-handle "$handle"
      fi
    done
    SCRIPT
    chmod +x /usr/local/bin/take-trials
    systemd-run --unit=take-trials --property=Restart=always \
      /usr/local/bin/take-trials "${queue.trials.url}" "s3://${bucket.results.name}"
  SH
}

output "queue_url" {
  value       = queue.trials.url
  description = "Where to send trials."
}

output "tools" {
  value       = "s3://${bucket.tools.name}"
  description = "Where to put the binary `mlinfra` and the script `trial`."
}

output "results" {
  value = "s3://${bucket.results.name}"
}
