stack "research" {
  region = "us-east-1"
}
