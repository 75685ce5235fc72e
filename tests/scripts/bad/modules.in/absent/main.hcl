stack "bad" {
  region = "us-east-1"
}

module "vpc" {
  source = "./modules/vpc"
}
