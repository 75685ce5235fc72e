stack "llm" {
  region = "us-east-1"
}

bucket "b" {}

moved {
  from = bucket.e
  to   = "nothing"
}

moved {
  from = bucket.f.name
  to   = bucket.b
}
