stack "hands" {
  region = "us-east-1"
}

bucket "changed" {}

bucket "gone" {}

bucket "untagged" {}

bucket "taken" {}

bucket "elsewhere" {}

network "main" {
  zones = ["a"]
}
