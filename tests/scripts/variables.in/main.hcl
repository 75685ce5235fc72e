stack "v" {
  region = "us-east-1"
}

variable "text" {
  type    = string
  default = "default"
}

variable "number" {
  type    = number
  default = 1
}

variable "list" {
  type    = list(string)
  default = []
}

variable "object" {
  type    = object({ name = string, size = optional(number, 3) })
  default = { name = "x" }
}

variable "secret" {
  type      = string
  default   = "swordfish"
  sensitive = true
}

output "all" {
  value = {
    list   = var.list
    number = var.number
    object = var.object
    text   = var.text
  }
}

output "secret" {
  value     = var.secret
  sensitive = true
}
