stack "bad" {
  region = "us-east-1"
}

bucket "a" {}

network "n" {
  zones = ["a"]
}

forget {
  address = bucket.a
}

adopt {
  address = network.n
  id      = "vpc-1"
}

adopt {
  address = bucket.b
  id      = "b"
}

adopt {
  address = bucket.a
  id      = "c"
}

adopt {
  address = bucket.a
  id      = "d"
}

adopt {
  address = "network.n/vpc"
  id      = "c"
}
