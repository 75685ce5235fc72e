stack "fleet" {
  region = "us-east-1"
}

network "main" {
  cidr  = "10.9.0.0/16"
  zones = ["a"]
}

queue "jobs" {
  job = { gpus = 8 }
}

cluster "train" {
  network      = network.main
  accelerators = "H100:8"
  nodes        = { min = 0, max = 4 }

  autoscale {
    queue          = queue.jobs
    latency_target = "cheapest"
    budget {
      per_hour = 200
    }
  }
}
