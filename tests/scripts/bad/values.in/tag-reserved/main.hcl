stack "s" {
  region = "us-east-1"
}

bucket "data" {
  tags = {
    "mlinfra:stack" = "other"
  }
}
