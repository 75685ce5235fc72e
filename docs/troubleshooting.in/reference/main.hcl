stack "wrong" {
  region = "us-east-1"
}

cluster "train" {
  network       = network.main
  instance_type = "g5.xlarge"
  nodes         = 1
}
