stack "vision" {
  region = "us-east-1"
}

network "main" {
  cidr  = "10.20.0.0/16"
  zones = ["a"]
}

cluster "train" {
  network       = network.main
  instance_type = "g5.8xlarge"
  nodes         = 1
}

module "team" {
  source  = "./modules/team"
  network = network.main
}
