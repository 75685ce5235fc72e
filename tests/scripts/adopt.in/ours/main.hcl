stack "ours" {
  region = "us-east-1"
}

bucket "data" {
  name       = "theirs-data-000000000000-us-east-1-an"
  versioning = false
}

network "main" {
  cidr  = "10.9.0.0/16"
  zones = ["a"]
}
