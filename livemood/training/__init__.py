"""Making and measuring models; nothing here is needed to run one."""
