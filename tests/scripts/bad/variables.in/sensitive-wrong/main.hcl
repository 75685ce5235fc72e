stack "s" {
  region = "us-east-1"
}

variable "pin" {
  type      = number
  sensitive = true
}
