stack "llm" {
  region = "us-east-1"
}

network "main" {}

cluster "train" {
  network       = network.main
  instance_type = "x9.48xlarge"
  nodes         = 1
}
