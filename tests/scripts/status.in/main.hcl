stack "web" {
  region = "us-east-1"

  budget {
    per_hour = 2
  }
}

network "main" {
  zones = ["a"]
}

queue "jobs" {
  job = { gpus = 1 }
}

cluster "fixed" {
  network       = network.main
  instance_type = "g5.xlarge"
  nodes         = 1
}

cluster "gpu" {
  network       = network.main
  instance_type = "g5.xlarge"
  nodes         = { min = 0, max = 4 }
  queue         = queue.jobs

  autoscale {
    latency_target = "fastest"
  }
}
