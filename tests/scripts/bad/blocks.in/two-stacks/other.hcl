stack "t" {
  region = "eu-west-1"
}
