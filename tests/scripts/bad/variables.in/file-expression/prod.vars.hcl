nodes = var.other
