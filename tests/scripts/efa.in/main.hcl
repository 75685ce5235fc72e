stack "s" {
  region = "us-east-1"
}

variable "efa" {
  type    = bool
  default = false
}

network "main" {
  zones = ["a"]
}

cluster "train" {
  network        = network.main
  instance_types = ["p5.48xlarge", "g5.xlarge"]
  efa            = var.efa
  max_gpu_price  = 6.9
  nodes          = 1
}
