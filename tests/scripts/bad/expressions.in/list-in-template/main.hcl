stack "s" {
  region = "us-east-1"
}

locals {
  zones = ["a", "b"]
}

output "x" {
  value = "zones: ${local.zones}"
}
