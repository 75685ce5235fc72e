stack "llm" {
  region = "us-eats-1"
}

network "main" {}

cluster "train" {
  network       = network.main
  instance_type = "p5.48xlarge"
  nodes         = 1
}
