stack "fleet" {
  region = "us-east-1"
}

network "main" {
  zones = ["a"]
}

queue "jobs" {
  job = { gpus = 8, nodes = 1 } # what each message needs
}

cluster "train" {
  network      = network.main
  accelerators = "H100:8"
  nodes        = { min = 0, max = 4 }
  queue        = queue.jobs

  autoscale {
    idle_timeout   = "10m"
    latency_target = "balanced"

    budget {
      per_hour = 200 # USD, for this cluster's nodes
    }
  }

  agent {
    url    = "https://example.com/mlinfra" # where nodes fetch it
    sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
  }
}
