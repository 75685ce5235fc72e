variable "n" {
  type=number
