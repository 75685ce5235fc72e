stack "bad" {
  region = "us-east-1"
}

network "main" {}

bucket "data" {
  for_each = toset([network.main.id])
}
