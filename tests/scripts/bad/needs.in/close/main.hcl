stack "s" {
  region = "us-east-1"
}

network "n" {
  cidr  = "10.0.0.0/16"
  zones = ["a"]
}

cluster "c" {
  network = network.n
  nodes   = 1

  instance_type = "t3.large"
  placement     = "cluster"
}
