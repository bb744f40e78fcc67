"""Training: datasets, backbones, tasks and recipes. Needs the extra `train` (torch); serving never imports it."""
