stack "llm" {
  region = "us-east-1"
}

module "team" {
  source   = "./modules/team"
  for_each = toset(["speech", "vision"])
}
