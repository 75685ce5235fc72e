# One stack, three environments: dev, test and prod differ by their variables
# only.
#
#   mlinfra plan --env dev --sandbox
#   mlinfra diff-env dev prod --sandbox     what differs, and what comes of it

stack "vision" {
  region = var.region

  tags = {
    env = stack.env
  }

  budget {
    per_hour = var.budget
  }
}

variable "region" {
  type        = string
  default     = "us-east-1"
  description = "Where it stands."
}

variable "cidr" {
  type        = string
  description = "Addresses; different ones, so that networks can be joined."
}

variable "accelerators" {
  type        = string
  description = "What a node has."
}

variable "most" {
  type        = number
  description = "The most nodes."
}

variable "capacity" {
  type        = list(string)
  default     = ["spot", "on-demand"]
  description = "How nodes are got, in this order."
}

variable "keep" {
  type        = bool
  default     = false
  description = "Whether checkpoints survive `destroy`."
}

variable "budget" {
  type        = number
  description = "What all of it may cost, USD per hour."
}

variable "agent_sha256" {
  type        = string
  default     = "0000000000000000000000000000000000000000000000000000000000000000"
  description = "SHA-256 of the mlinfra binary in the bucket `tools`."
}

network "main" {
  cidr  = var.cidr
  zones = ["a", "b"]
}

# Holds the agent's binary as `mlinfra`.
bucket "tools" {
  precious = false
}

bucket "datasets" {}

bucket "checkpoints" {
  precious = var.keep
}

queue "jobs" {}

cluster "train" {
  network      = network.main
  accelerators = var.accelerators
  capacity     = var.capacity
  read         = [bucket.datasets, bucket.tools]
  write        = [bucket.checkpoints]
  queue        = queue.jobs

  nodes = {
    min  = 0
    max  = var.most
    gang = false
  }

  # The fleet follows the queue (`mlinfra autoscale run`).
  autoscale {
    idle_timeout = "10m"
  }

  # Says when a node works: one that does is not ended.
  agent {
    url    = "s3://${bucket.tools.name}/mlinfra"
    sha256 = var.agent_sha256
  }
}

output "queue_url" {
  value = queue.jobs.url
}
