stack "wrong" {
  region = "us-east-1"
}

network "main" {}

cluster "train" {
  network      = network.main
  accelerators = "H100:6"
  nodes        = 1
}
