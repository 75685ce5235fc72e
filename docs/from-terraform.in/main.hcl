stack "research" {
  region = "us-east-1"
}

bucket "corpus" {
  name = "acme-corpus-2023" # a name that must stay
}

output "corpus" {
  value = bucket.corpus.arn
}
