stack "s" {
  region = "us-east-1"
}

output "x" {
  value = true ? "a" : ["b"]
}
