stack "web" {
  region = "us-east-1"
}

bucket "data" {
  tags = { note = "<b>`@all`</b> | a" }
}

cluster "gpu" {
  network       = network.main
  instance_type = "g5.xlarge"
  nodes         = 1
}

network "main" {
  zones = ["a"]
}
