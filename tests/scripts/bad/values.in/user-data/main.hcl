stack "s" {
  region = "us-east-1"
}

network "main" {
  zones = ["a", "b"]
}

cluster "gpu" {
  network       = network.main
  instance_type = "g5.8xlarge"
  nodes         = 2

  access {
    ssh_keys = [for n in range(800) : "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${substr(sha256(n), 0, 43)} u${n}"]
  }
}
