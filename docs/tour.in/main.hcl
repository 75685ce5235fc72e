stack "tour" {
  region = "us-east-1"

  budget {
    per_hour = 10 # USD, of all that runs at once
  }
}

variable "nodes" {
  type    = number
  default = 2
}

bucket "datasets" {} # private, encrypted, versioned

network "main" {
  zones = ["a", "b"]
}

cluster "train" {
  network      = network.main
  accelerators = "A10G:1" # what every node must have; the type follows
  memory       = ">=128GiB"
  nodes        = var.nodes
  read         = [bucket.datasets]
}

output "datasets" {
  value = "s3://${bucket.datasets.name}"
}
