stack "store" {
  region = "us-east-1"
}

bucket "datasets" {}

bucket "scratch" {
  precious = false

  expire {
    after = "7d"
  }
}

output "datasets" {
  value = "s3://${bucket.datasets.name}"
}

output "buckets" {
  value = {
    datasets = bucket.datasets.arn
    scratch  = bucket.scratch.arn
  }
}
