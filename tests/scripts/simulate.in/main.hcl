stack "llm" {
  region = "us-east-1"
}

network "main" {
  cidr  = "10.20.0.0/16"
  zones = ["a", "b"]
}

cluster "train" {
  network      = network.main
  accelerators = ["H200:8", "H100:8"]
  nodes        = 4
}

cluster "sweep" {
  network      = network.main
  accelerators = "A10G:1"
  capacity     = ["spot", "on-demand"]
  zones        = ["a"]
  max_price    = 1.5
  nodes        = 2
}

cluster "head" {
  network = network.main
  cpus    = 8
  memory  = "32GiB"
  zones   = ["b"]
  nodes   = 1
}
