"""Pages for people: what an administrator, an approver and an auditor need. README.md is the map."""
