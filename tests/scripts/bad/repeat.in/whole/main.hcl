stack "bad" {
  region = "us-east-1"
}

network "main" {
  for_each = toset(["eu"])
}

bucket "data" {
  for_each = toset(["eu"])
}

cluster "train" {
  network       = network.main
  instance_type = "p5.48xlarge"
  nodes         = 1
  read          = bucket.data
}
