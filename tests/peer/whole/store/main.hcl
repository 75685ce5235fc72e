variable "days" {
  type = string
}

bucket "logs" {
  precious = false
  expire {
    prefix = "raw/"
    after  = var.days
  }
}

output "name" {
  value = bucket.logs.name
}
