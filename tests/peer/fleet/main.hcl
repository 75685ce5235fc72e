# A queue and the cluster that follows it: `tests/peer/fleet.py` sends jobs, plays the machines,
# kills the service again and again, and looks at what became of the jobs.

stack "fleet" {
  region  = "us-east-1"
  account = "123456789012"
  backend "s3" {
    bucket = "acme-ledgers"
    lease  = "5s"
  }
}

variable "lines" {
  type    = number
  default = 900
}

network "main" {
  cidr  = "10.70.0.0/16"
  zones = ["a", "b"]
}

queue "jobs" {
  visibility_timeout = "30s"
  max_receives       = 20
  job                = { gpus = 1 }
}

cluster "train" {
  network       = network.main
  instance_type = "g5.xlarge"
  nodes         = { min = 0, max = 4 }
  image         = "dlami-base"
  queue         = queue.jobs
  # Too long for user data: it stands in a bucket of the cluster's own.
  setup         = join("\n", [for n in range(var.lines) : "echo ${sha256(n)}"])

  autoscale {
    queue          = queue.jobs
    latency_target = "cheapest"
    idle_timeout   = "5s"
    stabilisation  = "0s"
    max_down       = 100
    zero_confirm   = 2
    cordon_time    = "40s"
    boot_time      = "10s"
  }

  # In the end no node may be left.
  health {
    boot_timeout = "2m"
    quarantine   = "0s"
  }
}
