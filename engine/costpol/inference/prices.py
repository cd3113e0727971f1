"""What a model costs. Owner fills in; see Price.cost."""
