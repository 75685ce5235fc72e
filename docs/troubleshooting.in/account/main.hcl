stack "prod" {
  region  = "us-east-1"
  account = "123456789012"
}

bucket "data" {}
