stack "s" {
  region = "us-east-1"
}

variable "n" {
  type = number
}

variable "z" {
  type = list(string)
}

variable "c" {
  type = string
}

network "main" {
  zones = var.z
  cidr  = var.c
}

queue "jobs" {
  retention = var.c
}

bucket "data" {
  name = var.c

  expire {
    after = var.c
  }
}

cluster "gpu" {
  network       = network.main
  instance_type = var.c
  image         = var.c
  nodes         = var.n
  zones         = [var.c]

  disk {
    size = var.c
    iops = var.n
  }
}
