stack "s" {
  region = "us-east-1"
}

network "main" {
  zones = ["a", "b"]
}

bucket "data" {
  tags = {
    vpc = network.main.id
  }
}
