stack "s" {
  region = "us-east-1"
}

variable "nodes" {
  type    = number
  default = 2

  validation {
    condition     = var.nodes <= 8
    error_message = "Ask the platform team for more than 8 nodes, not ${var.nodes}."
  }
}
