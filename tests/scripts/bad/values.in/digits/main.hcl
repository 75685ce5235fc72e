stack "s" {
  region = "us-east-1"
}

output "x" {
  value = 12345678901234567890123456789012345678901234567890
}
