stack "llm" {
  region = "us-east-1"
}

network "main" {
  zones = ["a"]
}

cluster "sweep" {
  network       = network.main
  instance_type = "g5.xlarge"
  nodes         = 1
  capacity      = ["spot"]
}

cluster "train" {
  network       = network.main
  instance_type = "p5.48xlarge"
  nodes         = 2
  capacity      = ["reservation:cr-0aa", "capacity-block:cr-0bb", "on-demand"]
}
