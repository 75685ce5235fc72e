stack "My Stack" {
  region = "us-east-1"
}
