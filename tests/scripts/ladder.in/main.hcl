stack "llm" {
  region = "us-east-1"
}

network "main" {
  cidr  = "10.20.0.0/16"
  zones = ["a", "b"]
}

cluster "train" {
  network       = network.main
  instance_type = "p5.48xlarge"
  capacity      = ["reserved:team=llm", "spot", "on-demand"]
  nodes         = 4
}

cluster "sweep" {
  network       = network.main
  instance_type = "g5.xlarge"
  zones         = ["a"]
  nodes         = { min = 3, gang = false }
}

cluster "elastic" {
  network      = network.main
  accelerators = "L4:1"
  zones        = ["b"]
  max_price    = 1
  nodes        = { min = 0, max = 16 }
}
