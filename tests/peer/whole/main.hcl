# Every block of the language in one stack: `tests/peer/whole.py` applies it, looks at what came
# of it with boto3, changes each block once, rolls the nodes, and destroys it.

stack "whole" {
  region  = "us-east-1"
  account = "123456789012"
  tags    = { team = "ml" }
  budget {
    per_hour  = 200
    per_month = 146000
  }
}

# One change for each kind of block.
variable "changed" {
  type    = bool
  default = false
}

# What the nodes of the cluster boot.
variable "image" {
  type    = string
  default = "dlami-base"
}

variable "release" {
  type    = string
  default = "v1"
}

locals {
  owner = var.changed ? "platform" : "research"
}

lookup "vpc" "shared" {
  tags = { Name = "shared" }
}

lookup "subnets" "shared" {
  vpc  = lookup.vpc.shared.id
  tags = { tier = "private" }
}

lookup "bucket" "corpus" {
  name = "acme-corpus"
}

lookup "image" "base" {
  name  = "Deep Learning Base OSS Nvidia Driver GPU AMI (Ubuntu 22.04) 20261101"
  owner = "898082745236"
}

lookup "zones" "open" {}

lookup "account" "me" {}

network "main" {
  cidr  = "10.60.0.0/16"
  zones = ["a", "b"]
  tags  = { owner = local.owner }
}

bucket "datasets" {
  for_each   = toset(["images", "text"])
  precious   = false
  versioning = !var.changed
}

queue "jobs" {
  visibility_timeout = var.changed ? "1h" : "30m"
}

filesystem "scratch" {
  type        = "lustre"
  network     = network.main
  zone        = "a"
  size        = "1200GiB"
  deployment  = "persistent-2"
  throughput  = var.changed ? 250 : 125
  import      = bucket.datasets["images"]
  export      = bucket.datasets["images"]
  compression = "none"
  precious    = false
}

filesystem "home" {
  type     = "efs"
  network  = network.main
  precious = false
  tags     = { owner = local.owner }

  infrequent_after = var.changed ? "60d" : "30d"
  backup           = true
}

volume "state" {
  size     = var.changed ? "20GiB" : "10GiB"
  zone     = "a"
  precious = false
}

module "store" {
  source = "./store"
  days   = var.changed ? "30d" : "14d"
}

cluster "train" {
  network       = network.main
  instance_type = "g5.xlarge"
  nodes         = var.changed ? 3 : 2
  image         = var.image
  capacity      = ["spot", "on-demand"]
  read          = [lookup.bucket.corpus]
  queue         = queue.jobs

  mount "/data" {
    from      = bucket.datasets["text"]
    read_only = true
  }
  mount "/fast" {
    from = filesystem.scratch
  }
  mount "/home" {
    from = filesystem.home
  }
  rolling {
    surge = 1
  }
}

cluster "head" {
  network       = network.main
  instance_type = "m7i.large"
  nodes         = 1
  zones         = ["a"]
  image         = lookup.image.base.id

  mount "/state" {
    from = volume.state
  }
}

cluster "guest" {
  subnets       = lookup.subnets.shared
  instance_type = "m7i.large"
  nodes         = { min = 0, max = 4 }
}

service "mlflow" {
  network       = network.main
  instance_type = "t3.large"
  image         = "dlami-base"
  ports         = [5000]
  nodes         = 2

  container {
    image   = "ghcr.io/mlflow/mlflow:${var.release}"
    command = ["mlflow", "server"]
    env     = { OWNER = local.owner }
    secrets = { DATABASE = "ssm:/whole/database" }
  }
  mount "/artifacts" {
    from = bucket.datasets["text"]
  }
  health {
    http = "/health"
    port = 5000
  }
}

output "tracking" {
  value = service.mlflow.url
}

output "known" {
  value = {
    vpc     = lookup.vpc.shared.cidr
    zones   = lookup.zones.open.letters
    account = lookup.account.me.id
    logs    = module.store.name
  }
}
