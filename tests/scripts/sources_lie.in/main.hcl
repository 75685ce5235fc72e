stack "fleet" {
  region = "us-east-1"
}

network "main" {
  zones = ["a"]
}

cluster "train" {
  network      = network.main
  accelerators = "H100:8"
  nodes        = { min = 0, max = 4 }

  autoscale {
    latency_target = "cheapest"

    source "program" {
      name    = "depth"
      command = ["sh", "./depth.sh"]
    }
  }

  agent {
    url    = "https://example.com/mlinfra"
    sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
  }
}
