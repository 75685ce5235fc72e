stack "llm" {
  region = "us-east-1"
}

bucket "a" {}

bucket "b" {}

queue "q" {}

moved {
  from = bucket.a
  to   = bucket.b
}

moved {
  from = bucket.x
  to   = bucket.gone
}

moved {
  from = bucket.y
  to   = queue.q
}

moved {
  from = bucket.y
  to   = bucket.b
}

moved {
  from = bucket.c
  to   = bucket.d
}

moved {
  from = bucket.d
  to   = bucket.c
}

moved {
  from = module.m
  to   = bucket.b
}
