network "main" {
  cidr  = "10.1.0.0/16"
  zones = ["a"]
  nat   = "none"
}
