stack "llm" {
  region = "us-east-1"
}

network "main" {
  zones = ["a", "b"]
}

cluster "train" {
  network       = network.main
  instance_type = "p5.48xlarge"
  capacity      = ["capacity-block:cr-0bb"]
  nodes         = 2
}
