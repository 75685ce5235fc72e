stack "bad" {
  region = "us-east-1"
}

bucket "data" {
  for_each = toset(["a key with spaces and more than eighty characters, which no tag of ours can hold as it is, because every one of its spaces takes three of the few places that there are"])
}
