stack "bad" {
  region = "us-east-1"
}

lookup "vpcs" "shared" {}

output "x" {
  value = lookup.subnet.private.ids
}
