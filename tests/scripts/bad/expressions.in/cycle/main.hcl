stack "s" {
  region = "us-east-1"
}

locals {
  a = local.b + 1
  b = local.c
  c = local.a
}

output "x" {
  value = local.a
}
