stack "s" {
  region = "us-east-1"
}

queue "jobs" {
  max_receives = 0
}
