stack "log" {
  region = "us-east-1"
}

variable "days" {
  default = "14d"
}

variable "secret" {
  sensitive = true
  default   = "nothing"
}

bucket "data" {}

queue "jobs" {
  retention = var.days
}

output "made_from" {
  value     = var.secret
  sensitive = true
}
