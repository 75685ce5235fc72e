stack "s" {
  region = "us-east-1"
}

network "main" {
  cidr = "10.0.0.0/8"
}
