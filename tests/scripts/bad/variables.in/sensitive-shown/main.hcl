stack "s" {
  region = "us-east-1"
}

variable "password" {
  type      = string
  sensitive = true
}

output "password" {
  value     = var.password
  sensitive = true
}

bucket "data" {}
