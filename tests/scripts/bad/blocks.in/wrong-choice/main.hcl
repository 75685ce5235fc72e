stack "s" {
  region = "us-east-1"
}

network "main" {
  nat = "double"
}
