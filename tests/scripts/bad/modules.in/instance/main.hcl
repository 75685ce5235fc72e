stack "bad" {
  region = "us-east-1"
}

module "team" {
  for_each = toset(["speech", "vision"])
  source   = "./m"
}
