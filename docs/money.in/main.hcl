stack "vision" {
  region = "us-east-1"

  budget {
    per_hour  = 12   # USD, of all that runs at once
    per_month = 6000 # USD, in a month of 730 hours
  }
}

variable "nodes" {
  type    = number
  default = 2
}

network "main" {
  zones = ["a"]
}

cluster "train" {
  network       = network.main
  instance_type = "g5.8xlarge"
  nodes         = var.nodes
}

cluster "sweep" {
  network       = network.main
  instance_type = "g5.xlarge"
  capacity      = ["spot", "on-demand"]
  nodes         = { min = 0, max = 4, gang = false }
}
