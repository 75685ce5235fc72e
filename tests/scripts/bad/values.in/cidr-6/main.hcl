stack "s" {
  region = "us-east-1"
}

network "main" {
  cidr = "fd00::/48"
}
