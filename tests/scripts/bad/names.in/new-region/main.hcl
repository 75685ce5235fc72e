stack "llm" {
  region = "us-west-3"
}

network "main" {}

cluster "train" {
  network       = network.main
  instance_type = "p5.48xlarge"
  nodes         = 1
}
