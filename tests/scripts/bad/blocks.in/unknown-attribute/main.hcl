stack "s" {
  region = "us-east-1"
}

queue "jobs" {
  visibility_timout = "30m"
}
