stack "edit" {
  region = "us-east-1"

  tags = {
    team = "ml"
  }
}

network "main" {
  zones = ["a"]
  nat   = "none"
}

bucket "datasets" {}

queue "jobs" {}
