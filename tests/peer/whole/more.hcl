# What main.hcl has no use for: every other nested block and attribute that becomes something of AWS. Clusters of
# no nodes cost nothing and start nothing, and all that they are made of stands.

variable "key" {
  type    = string
  default = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
}

locals {
  person = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ3bPnbQkUZcqvZT1qXkTzH0pGJmS5Q1 ann"
}

bucket "sealed" {
  name          = "acme-whole-sealed"
  keep_versions = var.changed ? "60d" : "30d"
  kms_key       = var.key
  precious      = false
  tags          = { kind = "sealed" }
  expire {
    prefix = "tmp/"
    after  = "7d"
  }
}

queue "ordered" {
  fifo         = true
  retention    = var.changed ? "3d" : "7d"
  max_receives = 5
  job          = { gpus = 8, nodes = 2 }
  tags         = { kind = "gangs" }
}

volume "quick" {
  size       = "10GiB"
  zone       = "b"
  type       = "gp3"
  iops       = var.changed ? 5000 : 4000
  throughput = 250
  encrypted  = true
  kms_key    = var.key
  precious   = false
  tags       = { kind = "quick" }
}

cluster "trial" {
  network       = network.main
  accelerators  = "H100:8"
  nodes         = 0
  max_price     = 80
  max_gpu_price = 10
  fallback      = false
  efa           = true
  placement     = "cluster"
  container     = false
  write         = [bucket.sealed]
  setup         = "echo ${var.release} >/etc/release-of-ours"
  tags          = { kind = "trial" }

  disk {
    size       = "300GiB"
    iops       = var.changed ? 9000 : 8000
    throughput = 600
    kms_key    = var.key
  }
  rolling {
    max_unavailable = 1
  }
  health {
    boot_timeout  = "40m"
    quarantine    = "2h"
    keep          = 1
    max_unhealthy = "50%"
  }
  scratch {
    path = "/nvme"
    fs   = "ext4"
  }
  access {
    ssh_keys       = [local.person]
    users          = { ann = [local.person] }
    sudo           = true
    from           = ["10.8.0.0/16"]
    container_role = true
  }
  agent {
    url    = "s3://acme-corpus/mlinfra"
    sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
  }
}

cluster "plain" {
  network        = network.main
  instance_types = ["m7i.large", "m6i.large"]
  nodes          = 0
}

cluster "sized" {
  network = network.main
  cpus    = 4
  memory  = ">=8GiB"
  nodes   = { min = 0, max = 4 }

  autoscale {
    queue          = queue.jobs
    idle_timeout   = "5m"
    latency_target = "fastest"
    spare          = 0
    stabilisation  = "3m"
    max_up         = 10
    max_down       = 20
    zero_confirm   = 4
    cordon_time    = "2m"
    boot_time      = "6m"
    schedule {
      cron     = "0 8 * * 1-5"
      timezone = "Europe/Berlin"
      lasts    = "10h"
      min      = 0
      max      = 3
    }
    budget {
      per_hour  = 50
      per_month = 9000
    }
  }
}

service "db" {
  network   = network.main
  cpus      = 2
  memory    = ">=4GiB"
  capacity  = ["on-demand"]
  max_price = 1
  fallback  = true
  nodes     = 1
  zones     = ["a"]
  image     = "dlami-base"
  ports     = [5432]
  from      = ["10.60.0.0/16", "10.9.0.0/16"]
  read      = [lookup.bucket.corpus]
  write     = [bucket.sealed]
  queue     = queue.ordered
  setup     = "useradd db"
  tags      = { kind = "db" }

  unit {
    command = ["/opt/db/run", "--port", "5432"]
    user    = "db"
    env     = { OWNER = local.owner }
    secrets = { PASSWORD = "secretsmanager:whole-db" }
  }
  health {
    command  = ["/opt/db/ping"]
    interval = "15s"
    timeout  = "3s"
    retries  = 4
    grace    = "5m"
  }
  disk {
    size       = "120GiB"
    iops       = 4000
    throughput = 200
    kms_key    = var.key
  }
  rolling {
    surge           = 1
    max_unavailable = 0
  }
  mount "/sealed" {
    from      = bucket.sealed
    read_only = false
  }
  scratch {
    path = "/tmp-fast"
    fs   = "xfs"
  }
  access {
    ssh_keys       = [local.person]
    users          = { ann = [local.person] }
    sudo           = false
    from           = ["10.8.0.0/16"]
    container_role = false
  }
}
