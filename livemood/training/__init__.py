"""Training of models; nothing here is needed to run one."""
