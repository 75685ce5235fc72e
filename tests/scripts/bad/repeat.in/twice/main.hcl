stack "bad" {
  region = "us-east-1"
}

bucket "data" {
  for_each = ["eu", "us", "eu"]
}
