stack "bad" {
  region = "us-east-1"
}

module "team" {
  for_each = { speech = 3, vision = 40 }
  source   = "./m"
  days     = each.value
}
