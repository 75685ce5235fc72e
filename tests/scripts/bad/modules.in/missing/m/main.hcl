variable "name" {
  type = string
}

variable "days" {
  default = 30
}
