stack "bad" {
  region = "us-east-1"
}

network "main" {}

cluster "train" {
  network       = network.main
  instance_type = "p5.48xlarge"
  nodes         = 1
  image         = "/acme/gpu"
}
