stack "s" {
  region  = "us-east-1"
  account = "111111111111"
}

bucket "data" {}
