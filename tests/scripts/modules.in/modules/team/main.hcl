variable "name" {
  type = string
}

variable "days" {
  type    = number
  default = 30
}

variable "network" {
  type = network
}

module "store" {
  source = "../store"
  days   = var.days
}

cluster "train" {
  network       = var.network
  instance_type = "g5.8xlarge"
  nodes         = var.name == "speech" ? 1 : 0
  write         = [module.store.bucket]
  setup         = file("setup.sh")
}

output "store" {
  value = module.store.bucket
}
