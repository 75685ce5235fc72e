stack "s" {
  region = "us-east-1"
}

network "main" {}

cluster "gpu" {
  network       = network.main
  instance_type = "g5.xlarge"
  nodes         = 1

  access {
    ssh_keys = ["-----BEGIN OPENSSH PRIVATE KEY-----"]
    users = {
      root = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ3bPnbQkUZcqvZT1qXkTzH0pGJmS5Q1"]
      bo   = []
    }
    from = ["0.0.0.0/0", "home"]
  }
}
