stack "llm" {
  region = "us-east-1"
}

variable "idle" {
  type    = string
  default = "10m"
}

network "main" {
  cidr  = "10.20.0.0/16"
  zones = ["a"]
}

queue "training" {
  job = { gpus = 8, nodes = 2 }
}

cluster "train" {
  network      = network.main
  accelerators = "H100:8"
  nodes        = { min = 0, max = 16 }
  queue        = queue.training

  autoscale {
    queue          = queue.training
    idle_timeout   = var.idle
    latency_target = var.idle == "10m" ? "balanced" : 80

    source "slurm" {
      partitions = ["train"]
      timeout    = var.idle == "10m" ? "10s" : "20s"
    }

    schedule {
      cron     = "0 8 * * 1-5"
      timezone = "Europe/Berlin"
      min      = 2
    }

    budget {
      per_hour = 400
    }
  }
}

output "shape" {
  value = queue.training.job
}
