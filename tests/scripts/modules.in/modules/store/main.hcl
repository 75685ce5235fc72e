variable "days" {
    type = number
}

bucket "data" {
  expire {
    after = "${var.days}d"
  }
}

output "bucket" {
  value = bucket.data
}
