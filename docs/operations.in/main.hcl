stack "llm" {
  region = "us-east-1"
}

bucket "corpus" {}
