stack "s" {
  region = "us-east-1"
}

module "team" {
  source   = "./m"
  for_each = toset(["speech", "vision"])
}
