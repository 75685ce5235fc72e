stack "store" {
  region = "us-east-1"
}

variable "word" {
  type    = string
  default = "one"
}

variable "secret" {
  type      = string
  default   = "s3cr3t"
  sensitive = true
}

bucket "datasets" {}

output "word" {
  value = var.word
}

output "secret" {
  value     = var.secret
  sensitive = true
}
