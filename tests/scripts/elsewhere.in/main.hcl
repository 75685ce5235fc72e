stack "s" {
  region = "us-east-1"
}

bucket "data" {}
