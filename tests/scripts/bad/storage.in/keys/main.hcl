stack "s" {
  region = "us-east-1"
}

network "n" {
  zones = ["a"]
}

volume "alias" {
  size    = "100GiB"
  zone    = "a"
  kms_key = "alias/mine"
}

volume "elsewhere" {
  size    = "100GiB"
  zone    = "a"
  kms_key = "arn:aws:kms:eu-west-1:123456789012:key/0a1b2c3d-0000-1111-2222-333344445555"
}

volume "open" {
  size      = "100GiB"
  zone      = "a"
  encrypted = false
  kms_key   = "arn:aws:kms:us-east-1:123456789012:key/0a1b2c3d-0000-1111-2222-333344445555"
}

volume "deep" {
  size = "100GiB"
  zone = "a"
  type = "io2"
  iops = 200000
}

filesystem "scratch" {
  type       = "lustre"
  network    = network.n
  size       = "1200GiB"
  deployment = "scratch-2"
  backup     = true
  kms_key    = "arn:aws:kms:us-east-1:123456789012:key/0a1b2c3d-0000-1111-2222-333344445555"
}

filesystem "home" {
  type             = "efs"
  network          = network.n
  infrequent_after = "45d"
}
