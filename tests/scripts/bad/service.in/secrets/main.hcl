stack "bad" {
  region = "us-east-1"
}

variable "password" {
  type      = string
  sensitive = true
  default   = "hunter2"
}

network "main" {}

bucket "b" {}

queue "q" {}

service "secret" {
  network       = network.main
  instance_type = "t3.small"
  unit {
    command = ["run", "--password", var.password]
  }
}

service "later" {
  network       = network.main
  instance_type = "t3.small"
  unit {
    command = ["run"]
    env     = { NETWORK = network.main.id }
  }
}
