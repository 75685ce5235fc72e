# A small training stack: data, a network, a queue of jobs, two GPU nodes.
#
#   mlinfra plan --sandbox       what would be made, in a simulated region
#   mlinfra apply --sandbox      make it
#   mlinfra destroy --sandbox    take it away again

stack "quickstart" {
  region = "us-east-1"

  tags = {
    team = "ml"
  }
}

variable "nodes" {
  type        = number
  default     = 2
  description = "How many GPU nodes to run."

  validation {
    condition     = var.nodes <= 8
    error_message = "The quickstart is for up to 8 nodes."
  }
}

locals {
  project = "resnet"
}

# Private, encrypted, versioned, TLS only.
bucket "datasets" {}

bucket "checkpoints" {
  precious = false # may be deleted together with what it holds

  expire {
    prefix = "tmp/"
    after  = "14d"
  }
}

# A private and a public subnet in two zones, a NAT gateway, an S3 endpoint.
network "main" {
  cidr  = "10.20.0.0/16"
  zones = ["a", "b"]
}

# Jobs, with a dead-letter queue behind it.
queue "training" {
  visibility_timeout = "30m"
}

# Both nodes or none, in one zone, with rights to exactly these buckets and
# this queue.
cluster "train" {
  network       = network.main
  instance_type = "g5.8xlarge"
  nodes         = var.nodes
  read          = [bucket.datasets]
  write         = [bucket.checkpoints]
  queue         = queue.training

  setup = <<-EOT
    echo "project=${local.project} vpc=${network.main.id}" > /etc/motd
  EOT
}

output "queue_url" {
  value       = queue.training.url
  description = "Where to send jobs."
}

output "checkpoints" {
  value = "s3://${bucket.checkpoints.name}"
}

output "vpc" {
  value = network.main.id
}
