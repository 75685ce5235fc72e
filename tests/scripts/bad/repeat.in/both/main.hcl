stack "bad" {
  region = "us-east-1"
}

bucket "data" {
  count    = 2
  for_each = toset(["a"])
}
