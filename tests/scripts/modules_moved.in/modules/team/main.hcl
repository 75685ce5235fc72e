bucket "raw" {}

module "store" {
  source = "../shelf"
}
