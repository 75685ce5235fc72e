stack "s" {
  region = "us-east-1"
}

network "n" {
  zones = ["a", "b"]
}

network "other" {
  cidr = "10.9.0.0/16"
}

bucket "b" {}

bucket "c" {}

filesystem "e" {
  type    = "efs"
  network = network.n
  size    = "1200GiB"
  import  = bucket.b
}

filesystem "sized" {
  type       = "lustre"
  network    = network.n
  size       = "3600GiB"
  deployment = "scratch-2"
  throughput = 125
}

filesystem "unsized" {
  type       = "lustre"
  network    = network.n
  zone       = "f"
  throughput = 50
}

filesystem "torn" {
  type    = "lustre"
  network = network.other
  size    = "1200GiB"
  import  = bucket.b
  export  = bucket.c
}

cluster "c" {
  network       = network.n
  instance_type = "g5.xlarge"
  nodes         = 1

  mount "/torn" {
    from = filesystem.torn
  }
}
