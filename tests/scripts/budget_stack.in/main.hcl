stack "shared" {
  region = "us-east-1"

  budget {
    per_hour = 180 # USD, for all of it
  }
}

network "main" {
  zones = ["a"]
}

queue "first" {
  job = { gpus = 8 }
}

queue "second" {
  job = { gpus = 8 }
}

cluster "first" {
  network      = network.main
  accelerators = "H100:8"
  nodes        = { min = 0, max = 4 }

  autoscale {
    queue          = queue.first
    latency_target = "cheapest"
  }
  agent {
    url    = "https://example.com/mlinfra"
    sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
  }
}

cluster "second" {
  network      = network.main
  accelerators = "H100:8"
  nodes        = { min = 0, max = 4 }

  autoscale {
    queue          = queue.second
    latency_target = "cheapest"
  }
  agent {
    url    = "https://example.com/mlinfra"
    sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
  }
}
