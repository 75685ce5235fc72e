stack "bad" {
  region = "us-east-1"
}

bucket "data" {
  for_each = toset(["eu", "us"])
}

queue "jobs" {
  count = 2
}

output "bucket" {
  value = bucket.data.name
}

output "queue" {
  value = queue.jobs.url
}
