stack "heir" {
  region = "us-east-1"
}

network "main" {
  cidr  = "10.9.0.0/16"
  zones = ["a"]
  nat   = "none"
}
