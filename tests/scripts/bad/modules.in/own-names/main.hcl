stack "bad" {
  region = "us-east-1"
}

bucket "data" {}

module "team" {
  source = "./m"
}
