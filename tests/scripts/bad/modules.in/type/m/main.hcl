variable "days" {
  type = number
}

variable "network" {
  type = network
}
