stack "ml" {
  region = "us-east-1"
}

variable "precious" {
  type    = bool
  default = true
}

variable "size" {
  default = "500GiB"
}

variable "zone" {
  default = "a"
}

network "main" {
  zones = ["a", "b"]
}

bucket "datasets" {}

filesystem "scratch" {
  type       = "lustre"
  network    = network.main
  size       = "4800GiB"
  deployment = "scratch-2"
  import     = bucket.datasets
}

filesystem "home" {
  type     = "efs"
  network  = network.main
  precious = var.precious
}

volume "state" {
  size     = var.size
  zone     = var.zone
  precious = var.precious
}

cluster "train" {
  network       = network.main
  instance_type = "g5.xlarge"
  nodes         = 2

  mount "/data" {
    from      = bucket.datasets
    read_only = true
  }

  mount "/scratch" {
    from = filesystem.scratch
  }

  mount "/home" {
    from = filesystem.home
  }
}

cluster "head" {
  network       = network.main
  instance_type = "m7i.large"
  nodes         = 1
  zones         = [var.zone]

  mount "/state" {
    from = volume.state
  }
}

output "home" {
  value = filesystem.home.dns_name
}
