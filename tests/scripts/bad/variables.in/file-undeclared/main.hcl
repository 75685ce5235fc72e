stack "s" {
  region = "us-east-1"
}

variable "nodes" {
  type = number
}

output "nodes" {
  value = var.nodes
}
