stack "s" {
  region = "us-east-1"
}

output "x" {
  value = data.aws_vpc.main.id
}
