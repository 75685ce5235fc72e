# Nodes for a Slurm whose head exists already: it shares /shared with them, and has in its slurm.conf
#
#   ResumeProgram=/shared/mlinfra/resume
#   SuspendProgram=/shared/mlinfra/suspend
#   SuspendTime=60
#   ResumeTimeout=1800
#   SlurmctldParameters=idle_on_node_suspend,cloud_dns
#   NodeName=gpu[1-16] Gres=gpu:8 State=CLOUD
#
# with the scripts beside this file in /shared/mlinfra. A node has a job of Slurm only while `serve` runs it under
# `mlinfra node run`: so its agent knows when it works, and mlinfra ends no node that does. Put the binary into the
# bucket `tools` before the first node comes: aws s3 cp mlinfra s3://…/mlinfra

stack "slurm" {
  region = "us-east-1"
}

variable "head" {
  type        = string
  description = "The head, as the service's ssh knows it."
  default     = "ops@head.internal"
}

variable "agent_sha256" {
  type        = string
  default     = "0000000000000000000000000000000000000000000000000000000000000000"
  description = "SHA-256 of the mlinfra binary in the bucket `tools`."
}

network "main" {
  cidr = "10.20.0.0/16"
}

filesystem "shared" {
  type    = "efs"
  network = network.main

  lifecycle {
    precious = false
  }
}

bucket "tools" {
  precious = false
}

cluster "train" {
  network      = network.main
  accelerators = "H100:8"
  nodes        = { min = 0, max = 16 }

  mount "/shared" {
    from = filesystem.shared
  }

  read = [bucket.tools]

  # Says when the node works, and when it does not.
  agent {
    url    = "s3://${bucket.tools.name}/mlinfra"
    sha256 = var.agent_sha256
  }

  setup = <<-SH
    #!/bin/sh
    systemd-run --unit=slurm-node /shared/mlinfra/serve
  SH

  autoscale {
    idle_timeout = "5m"

    source "slurm" {
      ssh        = var.head
      partitions = ["train"]
      timeout    = "20s"
    }
  }
}
