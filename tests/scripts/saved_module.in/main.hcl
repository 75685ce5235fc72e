stack "saved" {
  region = "us-east-1"
}

module "team" {
  source = "./team"
}
