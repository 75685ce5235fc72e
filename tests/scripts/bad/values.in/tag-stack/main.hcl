stack "s" {
  region = "us-east-1"
  tags = {
    "mlinfra:stack" = "other"
  }
}

bucket "data" {}
