stack "s" {
  region = "us-east-1"
}

network "n" {
  cidr  = "10.0.0.0/16"
  zones = ["a"]
}

queue "q" {}

cluster "c" {
  network      = network.n
  accelerators = "A100:8"
  nodes = { min = 0, max = 4 }

  autoscale {
    boot_timeout = "20m"
    queue = queue.q
  }
}
