stack "bad" {
  region = "us-east-1"
}

cluster "train" {
  network       = network.main
  instance_type = "p5.48xlarge"
  nodes         = 1

  lifecycle {
    ignore = ["userdata"]
  }
}

network "main" {}
