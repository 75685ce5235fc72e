stack "s" {
  region = "us-east-1"
}

network "n" {}

cluster "c" {
  network       = network.n
  instance_type = "c7i.large"
  nodes         = 2
  health {
    max_unhealthy = "half"
  }
}

cluster "d" {
  network       = network.n
  instance_type = "c7i.large"
  nodes         = 2
  health {
    max_unhealthy = "0%"
  }
}

cluster "e" {
  network       = network.n
  instance_type = "c7i.large"
  nodes         = { min = 0, max = 2 }
  health {
    max_unhealthy = 1
  }
}
