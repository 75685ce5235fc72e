stack "f" {
region = "us-east-1"
}
# What jobs read.
bucket "datasets" {
    versioning=true   # former versions too
  keep_versions   =   "30d"
    tags = {
  team="ml"
      cost_center = "a"
    }
}


queue "jobs" {}
