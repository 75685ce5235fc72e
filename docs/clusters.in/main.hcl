stack "llm" {
  region = "us-east-1"
}

variable "sweepers" {
  type    = number
  default = 3
}

network "main" {
  zones = ["a", "b"]
}

bucket "corpus" {}

cluster "train" {
  network      = network.main
  accelerators = "H100:8" # what every node must have
  nodes        = 2        # these types have EFA: both or none
  max_price    = 60       # USD per node and hour

  # Tried in this order.
  capacity = ["reserved:team=llm", "spot", "on-demand"]

  mount "/corpus" {
    from      = bucket.corpus
    read_only = true
  }
}

cluster "sweep" {
  network       = network.main
  instance_type = "g5.xlarge"
  nodes         = var.sweepers
  capacity      = ["spot", "on-demand"]
}
