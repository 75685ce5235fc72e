stack "s" {
  region = "eu-west-1"
}

network "n" {
  cidr  = "10.0.0.0/16"
  zones = ["a"]
}

cluster "c" {
  network = network.n
  nodes   = 1

  accelerators  = "H100:8"
  max_gpu_price = 50
}
