stack "s" {
  region = "us-east-1"
}

output "x" {
  value = upper([1, 2])
}
