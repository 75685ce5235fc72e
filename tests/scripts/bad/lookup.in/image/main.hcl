stack "bad" {
  region = "us-east-1"
}

lookup "image" "none" {}

lookup "image" "owned" {
  owner = "amazon"
}

lookup "image" "both" {
  parameter = "/acme/gpu"
  name      = "acme-gpu-*"
}

lookup "image" "ours" {
  parameter = "/acme/gpu"
  owner     = "self"
}

lookup "image" "strange" {
  parameter = "/acme/gpu image"
}
