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

volume "v" {
  size = "100GiB"
  zone = "a"
}

volume "fast" {
  size       = "1GiB"
  zone       = "a"
  iops       = 80000
  throughput = 2000
  snapshot   = "vol-1"
}

volume "io" {
  size       = "1GiB"
  zone       = "z"
  type       = "io2"
  throughput = 125
}

cluster "many" {
  network       = network.n
  instance_type = "g5.xlarge"
  nodes         = 2

  mount "/v" {
    from = volume.v
  }
}

cluster "one" {
  network       = network.n
  instance_type = "g5.xlarge"
  nodes         = 1
  zones         = ["a"]

  mount "/v" {
    from = volume.v
  }
}
