stack "wrong" {
  region = "us-east-1"
}

variable "team" {
  type = string
}

bucket "data" {
  tags = { team = var.team }
}
