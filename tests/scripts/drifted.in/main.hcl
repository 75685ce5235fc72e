stack "twenty" {
  region = "us-east-1"

  tags = {
    team = "ml"
  }
}

network "main" {
  zones = ["a", "b"]
}

bucket "a" {}

bucket "b" {}

queue "jobs" {}

cluster "train" {
  network       = network.main
  instance_type = "g5.8xlarge"
  nodes         = 3
  read          = [bucket.a]
  queue         = queue.jobs
}
