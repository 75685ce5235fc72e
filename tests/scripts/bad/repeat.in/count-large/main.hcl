stack "bad" {
  region = "us-east-1"
}

bucket "data" {
  count = 100001
}
