stack "s" {
  region = "us-east-1"
}

<<<<<<< HEAD
bucket "data" {}
=======
bucket "dataset" {}
>>>>>>> more
