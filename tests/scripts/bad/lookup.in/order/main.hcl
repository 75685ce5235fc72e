stack "bad" {
  region = "us-east-1"
}

lookup "bucket" "own" {
  name = "corpus"
}

queue "jobs" {
  depends_on = [lookup.bucket.own]
}
