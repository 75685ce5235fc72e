stack "s" {
  region = "us-east-1"
}

network "main" {
  zones = ["a", "b"]
}

cluster "gpu" {
  network = network.main
}
