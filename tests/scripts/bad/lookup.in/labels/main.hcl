stack "bad" {
  region = "us-east-1"
}

lookup "vpc" {
  id = "vpc-1"
}
