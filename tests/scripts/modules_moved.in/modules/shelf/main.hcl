bucket "old" {}
