stack "s" {
  region = "us-east-1"
}

bucket "data" {}

moved {
  from = module.team["speech"].bucket.raw
  to   = module.team["vision"].bucket.raw
}

adopt {
  address = module.team.bucket.raw
  id      = "by-hand"
}
