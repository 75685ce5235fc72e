stack "s" {
  region = "us-east-1"
}

bucket "data" {}

cluster "gpu" {
  network       = bucket.data
  instance_type = "g5.8xlarge"
  nodes         = 2
}
