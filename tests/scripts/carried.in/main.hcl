stack "s" {
  region = "us-east-1"
}

queue "jobs" {
  retention = "1d"
}
