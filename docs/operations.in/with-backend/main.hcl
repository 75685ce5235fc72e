stack "llm" {
  region  = "us-east-1"
  account = "000000000000" # your account; any other is refused

  backend "s3" {
    bucket = "acme-mlinfra" # exists; the ledger is kept under mlinfra/llm/
  }
}

bucket "corpus" {}
