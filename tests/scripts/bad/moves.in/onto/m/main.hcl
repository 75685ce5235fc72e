bucket "clean" {}

moved {
  from = module.store
  to   = bucket.clean
}

moved {
  from = bucket["raw"]
  to   = bucket.clean
}
