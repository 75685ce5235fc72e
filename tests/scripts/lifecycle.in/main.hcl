stack "ml" {
  region = "us-east-1"
}

variable "precious" {
  type    = bool
  default = true
}

variable "fifo" {
  type    = bool
  default = false
}

bucket "data" {
  lifecycle {
    ignore = ["tags", "lifecycle"]
  }
}

queue "jobs" {
  fifo       = var.fifo
  depends_on = [bucket.data]

  lifecycle {
    precious = var.precious
  }
}
