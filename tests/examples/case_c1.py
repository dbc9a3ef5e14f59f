"""Case C-1 as administrators and governance write it: on corex 1.9.0 the plugin is blocked, as it needs 2.0.0."""

MANIFEST = """
id: com.powerx.plugins.inventory-sync
name: inventory-sync
version: "1.5.0"
corex_version: ">=2.0.0"
"""
MATRIX = """
source: governance
revision: "1"
expires_after: 24h
hosts:
  corex: {dialect: npm, releases: ["1.9.0", "2.0.0"]}
undeclared: {host: block, runtime: allow, matrix: allow}
matrix: []
releases: []
"""
