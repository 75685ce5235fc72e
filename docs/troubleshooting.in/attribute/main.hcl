stack "wrong" {
  region = "us-east-1"
}

queue "jobs" {
  visibility_timout = "10m"
}
