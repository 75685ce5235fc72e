stack "s" {
  region = "us-east-1"
}

locals {
  owner = null
}

output "x" {
  value = "owner: ${local.owner}"
}
