stack "s" {
  region = "us-east-1"
}

bucket "My Data!" {}
