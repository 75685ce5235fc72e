stack "bad" {
  region = "us-east-1"
}

lookup "subnets" "private" {
  vpc = "vpc-1"
}

network "main" {}

cluster "none" {
  instance_type = "p5.48xlarge"
  nodes         = 1
}

cluster "both" {
  network       = network.main
  subnets       = lookup.subnets.private
  instance_type = "p5.48xlarge"
  nodes         = 1
}
