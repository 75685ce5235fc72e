stack "team" {
  region = "us-east-1"
}

variable "nodes" {
  type    = number
  default = 1
}

network "main" {
  zones = ["a"]
}

bucket "data" {}

cluster "train" {
  network       = network.main
  instance_type = "g5.xlarge"
  nodes         = var.nodes
}
