queue "jobs" {
  retention = "7d"
}

output "jobs" {
  value = queue.jobs.url
}
