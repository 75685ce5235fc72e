stack "bad" {
  region = "us-east-1"
}

network "main" {}

bucket "b" {}

queue "q" {}

service "nothing" {
  network       = network.main
  instance_type = "t3.small"
}

service "both" {
  network       = network.main
  instance_type = "t3.small"
  container {
    image = "nginx"
  }
  unit {
    command = ["true"]
  }
}

service "many" {
  network       = network.main
  instance_type = "t3.small"
  nodes         = 9
  ports         = [0, 80, 70000]
  from          = ["0.0.0.0/0", "nowhere"]
  container {
    image   = "nginx; reboot"
    env     = { "A-B" = "c" }
    secrets = { PASSWORD = "hunter2", TOKEN = "vault:/x" }
  }
  health {
    http     = "health"
    command  = ["true"]
    interval = "1s"
    retries  = 0
    port     = 0
  }
}

service "nowhere" {
  instance_type = "t3.small"
  unit {
    command = []
  }
  health {
    http = "/up"
  }
}
