stack "ml" {
  region = "us-east-1"
}

variable "golden" {
  type    = string
  default = "/acme/gpu/golden"
}

lookup "image" "base" {
  parameter = "/aws/service/deeplearning/ami/x86_64/base-oss-nvidia-driver-gpu-ubuntu-22.04/latest/ami-id"
}

lookup "image" "small" {
  parameter = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-6.1-x86_64"
}

lookup "image" "golden" {
  parameter = var.golden
}

network "main" {}

cluster "train" {
  network       = network.main
  instance_type = "g5.8xlarge"
  nodes         = 1
  image         = lookup.image.golden.id
}

cluster "tests" {
  network       = network.main
  instance_type = "g5.xlarge"
  nodes         = 1
  image         = "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id"
}

output "images" {
  value = {
    base   = lookup.image.base
    small  = lookup.image.small.name
    golden = lookup.image.golden.id
  }
}
