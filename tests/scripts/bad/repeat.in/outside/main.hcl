stack "bad" {
  region = "us-east-1"
}

bucket "data" {
  tags = { key = each.key }
}
