stack "s" {
  region = "us-east-1"
}

bucket "data" {
  versioning = true

bucket "more" {}
