stack "s" {
  region = "us-east-1"
}

buckt "data" {}
