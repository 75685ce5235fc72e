stack "s" {
  region = "us-east-1"
}

network "n" {
  cidr  = "10.0.0.0/16"
  zones = ["a"]
}

queue "q" {
  job = { gpus = 8, nodes = 0 }
}

cluster "c" {
  network      = network.n
  accelerators = "A100:8"
  nodes        = { min = 0, max = 16 }

  autoscale {
    queue = queue.q
  }
}
