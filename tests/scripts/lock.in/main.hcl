stack "store" {
  region = "us-east-1"
}

variable "precious" {
  type    = bool
  default = true
}

bucket "datasets" {
  precious = var.precious
}
