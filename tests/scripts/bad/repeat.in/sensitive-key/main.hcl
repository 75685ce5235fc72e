stack "bad" {
  region = "us-east-1"
}

variable "teams" {
  default   = ["speech"]
  sensitive = true
}

bucket "data" {
  for_each = toset(var.teams)
}
