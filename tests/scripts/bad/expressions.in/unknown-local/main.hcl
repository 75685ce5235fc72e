stack "s" {
  region = "us-east-1"
}

locals {
  region = "x"
}

output "x" {
  value = local.regoin
}
