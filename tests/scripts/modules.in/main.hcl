stack "ml" {
  region = "us-east-1"
}

variable "teams" {
  type    = map(number)
  default = { speech = 30, vision = 14 }
}

network "main" {
  zones = ["a"]
}

module "team" {
  for_each = var.teams
  source   = "./modules/team"
  name     = each.key
  days     = each.value
  network  = network.main
}

output "buckets" {
  value = { for name, team in module.team : name => team.store.name }
}
