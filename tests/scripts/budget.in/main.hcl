variable "nodes" {
  type    = number
  default = 2
}

variable "type" {
  type    = string
  default = "g5.8xlarge"
}

stack "ml" {
  region = "us-east-1"
  budget {
    per_hour  = 8
    per_month = 5000
  }
}

network "main" {
  zones = ["a"]
}

cluster "gpu" {
  network       = network.main
  instance_type = var.type
  nodes         = var.nodes
}
