stack "s" {
  region = "us-east-1"
}

