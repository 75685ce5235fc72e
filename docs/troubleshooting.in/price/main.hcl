stack "wrong" {
  region = "us-east-1"
}

network "main" {}

cluster "train" {
  network      = network.main
  accelerators = "H100:8"
  max_price    = 10
  nodes        = 1
}
