stack "theirs" {
  region = "us-east-1"
}

bucket "data" {}

bucket "kept" {}

network "main" {
  cidr  = "10.0.0.0/16"
  zones = ["a"]
}
