stack "s" {
  region = "us-east-1"
}

variable "password" {
  type      = string
  sensitive = true
}

bucket "data" {
  tags = {
    password = var.password
  }
}
