stack "wrong" {
  region = "us-east-1"
}

network "main" {}

bucket "data" {
  count = network.main.id == "vpc-1" ? 1 : 0
}
