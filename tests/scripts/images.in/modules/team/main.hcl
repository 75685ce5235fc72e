variable "network" {
  type = any
}

cluster "sweep" {
  network       = var.network
  instance_type = "g5.xlarge"
  nodes         = 0
}

cluster "head" {
  network       = var.network
  instance_type = "m7i.large"
  image         = "ubuntu-24.04"
  nodes         = 0
}
