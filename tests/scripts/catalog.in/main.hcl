stack "vision" {
  region = "eu-central-1"
}

network "main" {
  cidr  = "10.20.0.0/16"
  zones = ["a"]
}

cluster "train" {
  network      = network.main
  accelerators = "A10G:4"
  nodes        = 2
}

volume "fast" {
  zone = "a"
  size = "1TiB"
  type = "io2"
  iops = 40000
}
