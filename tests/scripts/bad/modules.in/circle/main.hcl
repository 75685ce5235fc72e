stack "bad" {
  region = "us-east-1"
}

module "a" {
  source = "./m"
  name   = module.b.name
}

module "b" {
  source = "./m"
  name   = module.a.name
}
