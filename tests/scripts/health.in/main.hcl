stack "llm" {
  region = "us-east-1"
}

variable "nodes" {
  type    = number
  default = 3
}

network "main" {
  cidr = "10.20.0.0/16"
}

cluster "train" {
  network       = network.main
  instance_type = "g5.xlarge"
  nodes         = var.nodes

  health {
    boot_timeout = "10m"
    quarantine   = "10m"
  }

  agent {
    url    = "https://example.com/mlinfra"
    sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
  }
}
