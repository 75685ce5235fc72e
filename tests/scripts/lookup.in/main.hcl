stack "ml" {
  region = "us-east-1"
}

lookup "vpc" "shared" {
  tags = { Name = "shared" }
}

lookup "subnets" "private" {
  vpc  = lookup.vpc.shared.id
  tags = { tier = "private" }
}

lookup "bucket" "corpus" {
  name = "acme-corpus"
}

lookup "zones" "open" {}

lookup "account" "me" {}

cluster "train" {
  subnets       = lookup.subnets.private
  instance_type = "g5.8xlarge"
  nodes         = 1
  read          = [lookup.bucket.corpus]
}

bucket "results" {
  for_each = lookup.subnets.private.zones
  tags     = { subnet = each.value }
}

output "known" {
  value = {
    vpc     = lookup.vpc.shared.cidr
    bucket  = lookup.bucket.corpus.arn
    zones   = lookup.zones.open.letters
    account = lookup.account.me.id
  }
}
