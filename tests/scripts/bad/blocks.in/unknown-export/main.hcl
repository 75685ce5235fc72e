stack "s" {
  region = "us-east-1"
}

bucket "data" {}

output "x" {
  value = bucket.data.url
}
