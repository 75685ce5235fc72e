stack "parts" {
  region = "us-east-1"
}

bucket "data" {}

bucket "logs" {}
