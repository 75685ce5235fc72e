stack "llm" {
  region = "us-east-1"
}

network "main" {
  zones = ["a"]
}

bucket "data" {}

cluster "train" {
  network       = network.main
  instance_type = "g5.8xlarge"
  nodes         = 2
  read          = [bucket.data]
}

output "bucket" {
  value = bucket.data.name
}
