stack "s" {
  region = "us-east-1"
}

locals {
  team = { name = "ml" }
}

output "x" {
  value = local.team.nmae
}
