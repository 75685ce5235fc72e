stack "research" {
  region = "us-east-1"
}

bucket "texts" {
  name = "acme-corpus-2023"
}

moved {
  from = bucket.corpus
  to   = bucket.texts
}

output "corpus" {
  value = bucket.texts.arn
}
