bucket "data" {}
