stack "s" {
  region  = "us-east-1"
  account = 012345678901
}

bucket "data" {}
