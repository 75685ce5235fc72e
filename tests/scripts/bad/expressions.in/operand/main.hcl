stack "s" {
  region = "us-east-1"
}

output "x" {
  value = 1 + "two"
}
