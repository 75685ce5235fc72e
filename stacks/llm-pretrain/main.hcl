# A gang of H100 or H200 nodes that trains one model for weeks: EFA, Lustre, a
# reservation.
#
#   mlinfra plan --sandbox
#   mlinfra plan --var reservation=capacity-block:cr-0123456789abcdef0

stack "llm-pretrain" {
  region = var.region
}

variable "region" {
  type        = string
  default     = "us-east-1"
  description = "Where it trains."
}

variable "zone" {
  type        = string
  default     = "a"
  description = "The zone's letter: that of the reservation, if there is one."
}

variable "accelerators" {
  type        = list(string)
  default     = ["H100:8"]
  description = "What every node has: one of these, the first preferred."
}

variable "nodes" {
  type        = number
  default     = 4
  description = "How many nodes train: all start on one type, or none."
}

# Others: reservation:cr-…, reserved:KEY=VALUE.
variable "reservation" {
  type        = string
  default     = "on-demand"
  description = "How they are got: on-demand, or capacity-block:cr-0123…."
}

variable "scratch_size" {
  type        = string
  default     = "4800GiB"
  description = "Of Lustre: 1200GiB or a multiple of 2400GiB; never shrinks."
}

variable "throughput" {
  type        = number
  default     = 125
  description = "MB/s of the file system for each TiB: 125, 250, 500 or 1000."
}

variable "keep" {
  type        = bool
  default     = true
  description = "What holds data is precious; false lets `destroy` delete it."
}

network "main" {
  cidr  = "10.40.0.0/16"
  zones = [var.zone]
}

# Tokens, in shards. Lustre shows them as files and fetches them when they are
# first read.
bucket "corpus" {
  precious = var.keep
}

# What is written every few minutes, and what an accident must not take.
bucket "checkpoints" {
  precious = var.keep

  expire {
    prefix = "tmp/"
    after  = "14d"
  }
}

# Every node reads its shards here at the speed of a local disk, and no gang
# waits for S3 to list a million objects.
filesystem "fast" {
  type       = "lustre"
  network    = network.main
  zone       = var.zone
  size       = var.scratch_size
  throughput = var.throughput
  import     = bucket.corpus
  precious   = var.keep
}

# Code, environments, logs: small, shared, and there for the next run too.
filesystem "home" {
  type     = "efs"
  network  = network.main
  precious = var.keep
}

cluster "train" {
  network      = network.main
  accelerators = var.accelerators
  capacity     = [var.reservation]
  fallback     = false # never another way than the one that was paid for
  nodes        = var.nodes
  zones        = [var.zone]
  image        = "dlami-pytorch"

  # EFA interfaces, the rules that they need and a placement group come with
  # the type.

  write = [bucket.checkpoints]

  mount "/data" {
    from = filesystem.fast
  }

  mount "/home/shared" {
    from = filesystem.home
  }

  # The NVMe disks of each node as one: caches and compiled kernels.
  scratch {
    path = "/scratch"
  }

  disk {
    size       = "500GiB"
    throughput = 1000
    iops       = 12000
  }

  # A node that is one of many may take its time: drivers, fabric manager,
  # checks of 8 GPUs.
  health {
    boot_timeout = "30m"
  }

  # NCCL finds the network cards by itself; this is what differs from its
  # defaults.
  setup = <<-SH
    #!/bin/bash
    set -euo pipefail
    cat > /etc/profile.d/nccl.sh <<'EOF'
    export FI_PROVIDER=efa
    export NCCL_SOCKET_IFNAME=^lo,docker
    export NCCL_DEBUG=WARN
    EOF
  SH
}

output "checkpoints" {
  value = "s3://${bucket.checkpoints.name}"
}

output "corpus" {
  value       = "s3://${bucket.corpus.name}"
  description = "Where the shards go; nodes see them under /data."
}
