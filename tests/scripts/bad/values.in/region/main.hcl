stack "s" {
  region = "US East"
}

bucket "data" {}
