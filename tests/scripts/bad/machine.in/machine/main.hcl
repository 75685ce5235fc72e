stack "s" {
  region = "us-east-1"
}

network "main" {}

bucket "b" {}

cluster "gpu" {
  network       = network.main
  instance_type = "g5.xlarge"
  nodes         = 1

  scratch {
    path = "/usr"
  }
  mount "/usr" {
    from = bucket.b
  }
  agent {
    url    = "http://example.com/mlinfra; reboot"
    sha256 = "abc"
  }
}
