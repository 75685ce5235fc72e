stack "ml" {
  region = "us-east-1"
}

variable "after" {
  default = "30d"
}

variable "backup" {
  default = false
}

variable "key" {
  default = "arn:aws:kms:us-east-1:123456789012:key/0a1b2c3d-0000-1111-2222-333344445555"
}

network "main" {
  zones = ["a"]
}

filesystem "home" {
  type             = "efs"
  network          = network.main
  infrequent_after = var.after
  backup           = var.backup
  kms_key          = var.key
}

filesystem "fast" {
  type    = "lustre"
  network = network.main
  size    = "1200GiB"
  kms_key = var.key
}

volume "state" {
  size    = "100GiB"
  zone    = "a"
  type    = "io2"
  iops    = 9000
  kms_key = var.key
}

cluster "head" {
  network       = network.main
  instance_type = "m7i.large"
  nodes         = 1

  disk {
    kms_key = var.key
  }
}
