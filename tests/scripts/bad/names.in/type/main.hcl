stack "llm" {
  region = "us-east-1"
}

network "main" {}

cluster "train" {
  network       = network.main
  instance_type = "p5.48xlrge"
  nodes         = 1
}
