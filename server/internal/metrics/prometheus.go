package metrics

import _ "embed"

// Rules are alerts for Prometheus, in YAML.
//
//go:embed rules.yml
var Rules string

// Dashboard is one for Grafana, in JSON.
//
//go:embed dashboard.json
var Dashboard string
