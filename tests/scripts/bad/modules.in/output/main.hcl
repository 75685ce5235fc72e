stack "bad" {
  region = "us-east-1"
}

module "team" {
  source = "./m"
}

output "bucket" {
  value = module.team.bukket
}

output "team" {
  value = module.teams.bucket
}
