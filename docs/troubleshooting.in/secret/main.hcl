stack "wrong" {
  region = "us-east-1"
}

variable "password" {
  type      = string
  default   = "hunter2"
  sensitive = true
}

network "main" {}

service "db" {
  network = network.main
  cpus    = 2

  unit {
    command = ["serve", "--password", var.password]
  }
}
