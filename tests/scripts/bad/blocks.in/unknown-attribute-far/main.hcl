stack "s" {
  region = "us-east-1"
}

queue "jobs" {
  colour = "red"
}
