queue "jobs" {
  retention = "30d"
}
