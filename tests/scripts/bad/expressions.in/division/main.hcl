stack "s" {
  region = "us-east-1"
}

locals {
  parts = 0
}

output "x" {
  value = 100 / local.parts
}
