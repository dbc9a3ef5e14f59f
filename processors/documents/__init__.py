"""Reading what people and programs write: strict YAML and JSON with limits, and complaints that name the line."""
