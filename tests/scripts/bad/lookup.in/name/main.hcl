stack "bad" {
  region = "us-east-1"
}

lookup "vpc" "shared" {
  id = "vpc-1"
}

output "x" {
  value = lookup.vpc.sharde.id
}

output "y" {
  value = lookup.vpc.shared.arn
}
