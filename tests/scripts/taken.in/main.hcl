stack "llm" {
  region = "us-east-1"
}

network "main" {
  zones = ["a", "b"]
}

cluster "sweep" {
  network       = network.main
  instance_type = "g5.xlarge"
  capacity      = ["spot"]
  nodes         = 1
}
