stack "team" {
  region = "us-east-1"
}
