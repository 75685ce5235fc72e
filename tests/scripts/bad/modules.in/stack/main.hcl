stack "bad" {
  region = "us-east-1"
}

module "team" {
  source = "./m"
}
