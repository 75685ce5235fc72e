stack "ml" {
  region = var.region
  tags   = { environment = stack.env }
}

variable "region" {
  type    = string
  default = "us-east-1"
}

variable "teams" {
  type = set(string)
}

variable "keep" {
  type    = string
  default = "90d"
}

variable "token" {
  type      = string
  sensitive = true
}

bucket "data" {
  for_each      = var.teams
  keep_versions = var.keep
}

queue "jobs" {}

output "where" {
  value = "${stack.name} (${stack.env}) in ${stack.region}"
}
