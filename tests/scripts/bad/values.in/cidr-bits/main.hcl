stack "s" {
  region = "us-east-1"
}

network "main" {
  cidr = "10.0.1.0/16"
}
