stack "bad" {
  region = "us-east-1"
}

bucket "data" {
  for_each = toset(["eu", "us"])
}

output "name" {
  value = bucket.data["asia"].name
}
