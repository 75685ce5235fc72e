stack "s" {
  region = "us-east-1"
}

network "main" {
  zones = ["a", "b"]
}

bucket "data" {
  name = "data-${network.main.id}"
}
