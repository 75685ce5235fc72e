#!/bin/bash
# Docker, with NVIDIA's runtime where there are NVIDIA GPUs. Deep Learning AMIs have both.
set -euo pipefail

if ! command -v docker >/dev/null; then
  if command -v apt-get >/dev/null; then packages docker.io; else packages docker; fi
fi
systemctl enable --now docker
command -v nvidia-smi >/dev/null || exit 0

if ! command -v nvidia-ctk >/dev/null; then
  at=https://nvidia.github.io/libnvidia-container
  if command -v apt-get >/dev/null; then
    ring=/usr/share/keyrings/nvidia-container-toolkit.gpg
    curl -sfL --max-time 60 --retry 3 "$at/gpgkey" | gpg --batch --yes --dearmor -o "$ring"
    echo "deb [signed-by=$ring] $at/stable/deb/\$(ARCH) /" \
      >/etc/apt/sources.list.d/nvidia-container-toolkit.list
    apt-get -o DPkg::Lock::Timeout=300 update -q
  else
    curl -sfL --max-time 60 --retry 3 -o /etc/yum.repos.d/nvidia-container-toolkit.repo \
      "$at/stable/rpm/nvidia-container-toolkit.repo"
  fi
  packages nvidia-container-toolkit
fi
if ! docker info --format '{{json .Runtimes}}' | grep -q nvidia; then
  nvidia-ctk runtime configure --runtime=docker
  systemctl restart docker
fi
