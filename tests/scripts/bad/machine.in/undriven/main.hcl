stack "s" {
  region = "us-east-1"
}

network "n" {}

cluster "c" {
  network      = network.n
  accelerators = "H100:8"
  image        = "ubuntu-24.04" # without a driver, and nothing brings one
  nodes        = 1
}

cluster "d" {
  network       = network.n
  instance_type = "g5.xlarge"
  image         = "ubuntu-24.04"
  setup         = "apt-get install -y nvidia-driver-580-server"
  nodes         = 1
}
