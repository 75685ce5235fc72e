stack "s" {
  region = "us-east-1"
}

network "n" {
  zones = ["a", "b"]
}

network "other" {
  cidr = "10.9.0.0/16"
}

bucket "b" {}

bucket "c" {}

cluster "c" {
  network       = network.n
  instance_type = "g5.xlarge"
  nodes         = 1

  mount "/net" {
    from = network.n
  }
}
