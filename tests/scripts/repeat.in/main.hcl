stack "ml" {
  region = "us-east-1"
}

variable "teams" {
  type = map(object({ days = number, gpus = optional(bool, false) }))
  default = {
    speech = { days = 30, gpus = true }
    vision = { days = 14 }
  }
}

variable "shards" {
  type    = number
  default = 2
}

network "main" {
  for_each = toset(["eu"])
  zones    = ["a"]
}

bucket "data" {
  for_each = var.teams
  tags     = { team = each.key }

  expire {
    after = "${each.value.days}d"
  }
}

queue "jobs" {
  count = var.shards
  tags  = { shard = tostring(count.index) }
}

cluster "train" {
  for_each      = { for name, team in var.teams : name => team if team.gpus }
  network       = network.main["eu"]
  instance_type = "g5.8xlarge"
  nodes         = 1
  read          = values(bucket.data)
  write         = [bucket.data[each.key]]
  queue         = queue.jobs[0]
}

output "buckets" {
  value = { for name, bucket in bucket.data : name => bucket.name }
}

output "queues" {
  value = queue.jobs[*].name
}
