stack "s" {
  region = "us-east-1"
}

output "x" {
  value = upercase("a")
}
