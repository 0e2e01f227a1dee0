"""The paper's experiments, one module per table and figure."""
