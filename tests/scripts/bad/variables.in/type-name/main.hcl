stack "s" {
  region = "us-east-1"
}

variable "nodes" {
  type = numbr
}
