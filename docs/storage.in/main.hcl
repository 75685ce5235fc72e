stack "ml" {
  region = "us-east-1"
}

variable "keep" {
  type    = bool
  default = true
}

network "main" {
  zones = ["a", "b"]
}

# Objects. Private, encrypted, versioned, TLS only.
bucket "datasets" {
  precious = var.keep

  expire {
    prefix = "tmp/"
    after  = "14d"
  }
}

# Fast and shared, for the time of a project. Its files are the bucket's objects.
filesystem "scratch" {
  type     = "lustre"
  network  = network.main
  zone     = "a"
  size     = "4800GiB"
  import   = bucket.datasets
  precious = false
}

# Shared homes: grows and shrinks by itself, in every zone.
filesystem "home" {
  type     = "efs"
  network  = network.main
  precious = var.keep
}

# A disk that outlives its one node.
volume "state" {
  size     = "200GiB"
  zone     = "a"
  precious = var.keep
}

cluster "train" {
  network       = network.main
  instance_type = "g5.8xlarge"
  nodes         = 2
  zones         = ["a"] # where the Lustre file system stands

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
  zones         = ["a"]

  mount "/state" {
    from = volume.state
  }
}
