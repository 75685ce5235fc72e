stack "train" {
  region = "us-east-1"
}

variable "nodes" {
  type    = number
  default = 2
}

variable "cidr" {
  type    = string
  default = "10.20.0.0/16"
}

network "main" {
  cidr  = var.cidr
  zones = ["a", "b"]
}

cluster "gpu" {
  network       = network.main
  instance_type = "g5.8xlarge"
  nodes         = var.nodes
}
