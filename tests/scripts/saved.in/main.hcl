stack "saved" {
  region = "us-east-1"
}

variable "versions" {
  type    = bool
  default = true
}

variable "token" {
  sensitive = true
}

bucket "datasets" {
  versioning = var.versions

  tags = {
    note = trimspace(file("note.txt"))
  }
}

queue "jobs" {}

output "token" {
  value     = var.token
  sensitive = true
}
