stack "s" {
  region  = "us-east-1"
  account = "acme"
}

bucket "data" {}
