stack "llm" {
  region = "us-east-1"
}

network "main" {
  cidr  = "10.20.0.0/16"
  zones = ["a", "b"]
}

bucket "data" {}

cluster "train" {
  network        = network.main
  instance_types = ["g5.8xlarge", "g5.16xlarge"]
  nodes          = { min = 1, max = 4 }
}
