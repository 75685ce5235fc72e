stack "bad" {
  region = "us-east-1"
}

network "main" {}

bucket "data" {
  count = length(network.main.id)
}
