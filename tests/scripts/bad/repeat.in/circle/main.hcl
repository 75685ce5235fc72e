stack "bad" {
  region = "us-east-1"
}

bucket "a" {
  depends_on = [bucket.b]
}

bucket "b" {
  depends_on = [bucket.a]
}
