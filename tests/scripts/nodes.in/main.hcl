stack "llm" {
  region = "us-east-1"
}

network "main" {
  zones = ["a"]
}

cluster "train" {
  network       = network.main
  instance_type = "g5.12xlarge"
  nodes         = 2
}

cluster "head" {
  network       = network.main
  instance_type = "m7i.large"
  nodes         = 1
}

cluster "idle" {
  network       = network.main
  instance_type = "m7i.large"
  nodes         = 0
}
