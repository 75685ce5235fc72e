stack "s" {
  region = "us-east-1"
}

bucket "data" {
  name = "Acme_Data"
}
