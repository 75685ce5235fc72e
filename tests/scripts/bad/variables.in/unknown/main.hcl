stack "s" {
  region = "us-east-1"
}

output "x" {
  value = var.node
}
variable "nodes" {
  type = number
}

output "nodes" {
  value = var.nodes
}
