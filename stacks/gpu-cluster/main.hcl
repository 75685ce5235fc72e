# A GPU cluster that trains from a queue: copy this folder and set the
# variables.
#
#   mlinfra plan --var instance_type=p5.48xlarge --var nodes=4

stack "gpu-cluster" {
  region = var.region
}

variable "region" {
  type        = string
  default     = "us-east-1"
  description = "Where the cluster stands."
}

variable "instance_type" {
  type        = string
  default     = "p4d.24xlarge"
  description = "What its nodes are."
}

variable "nodes" {
  type        = number
  default     = 2
  description = "How many nodes; all of them are launched, or none."
}

variable "cidr" {
  type        = string
  default     = "10.40.0.0/16"
  description = "Addresses of the network, a /16 to /20."
}

network "main" {
  cidr = var.cidr
}

# What the cluster reads.
bucket "datasets" {}

# What it writes. Kept when the stack is destroyed, as long as it holds
# anything.
bucket "checkpoints" {
  expire {
    prefix = "tmp/"
    after  = "14d"
  }
}

queue "jobs" {
  visibility_timeout = "1h"
  max_receives       = 2
}

cluster "train" {
  network       = network.main
  instance_type = var.instance_type
  nodes         = var.nodes
  read          = [bucket.datasets]
  write         = [bucket.checkpoints]
  queue         = queue.jobs

  disk {
    size       = "500GiB"
    throughput = 1000
    iops       = 12000
  }
}

output "queue_url" {
  value = queue.jobs.url
}

output "checkpoints" {
  value = "s3://${bucket.checkpoints.name}"
}
