{{- define "guard.name" -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "guard.labels" -}}
app.kubernetes.io/name: compat-guard
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "guard.selector" -}}
app.kubernetes.io/name: compat-guard
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "guard.image" -}}
{{- $image := .Values.image -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ $image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- define "guard.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{ .Values.serviceAccount.name | default (include "guard.name" .) }}
{{- else -}}
{{ .Values.serviceAccount.name | default "default" }}
{{- end -}}
{{- end -}}

{{- define "guard.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "guard.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{/* The config map with the configuration files; empty where those of the image are used. */}}
{{- define "guard.configMap" -}}
{{- if .Values.config -}}
{{ include "guard.name" . }}-config
{{- else -}}
{{ .Values.existingConfigMap }}
{{- end -}}
{{- end -}}

{{- define "guard.config.files" -}}
{{- range $file, $text := .Values.config }}
{{ $file }}: |
  {{- $text | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Before each installation and upgrade, in the order of weights. Takes the weight. */}}
{{- define "guard.hook" -}}
helm.sh/hook: pre-install,pre-upgrade
helm.sh/hook-weight: {{ . | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end -}}

{{/* How a process reaches the broker and the registry. Takes root and the secret of its principal. */}}
{{- define "guard.servers.env" -}}
{{- $values := .root.Values -}}
{{- $sasl := hasPrefix "SASL" $values.kafka.security -}}
- {name: GUARD_KAFKA__BOOTSTRAP, value: {{ required "kafka.bootstrap: name the brokers, such as kafka:9093" $values.kafka.bootstrap | quote }}}
- {name: GUARD_KAFKA__SECURITY, value: {{ $values.kafka.security }}}
- {name: GUARD_KAFKA__PROTOCOL, value: {{ $values.kafka.protocol }}}
{{- if $values.kafka.allowPlaintext }}
- {name: GUARD_KAFKA__ALLOW_PLAINTEXT, value: "true"}
{{- end }}
{{- if $sasl }}
- {name: GUARD_KAFKA__MECHANISM, value: {{ $values.kafka.mechanism }}}
- name: GUARD_KAFKA__USERNAME
  valueFrom: {secretKeyRef: {name: {{ .secret }}, key: username}}
- {name: GUARD_KAFKA__PASSWORD_FILE, value: /etc/compat-guard/kafka/password}
{{- end }}
{{- if and $sasl (eq $values.kafka.mechanism "OAUTHBEARER") }}
- {name: GUARD_KAFKA__TOKEN_URL, value: {{ required "kafka.tokenUrl: OAUTHBEARER needs the token endpoint" $values.kafka.tokenUrl | quote }}}
{{- with $values.kafka.scope }}
- {name: GUARD_KAFKA__SCOPE, value: {{ . | quote }}}
{{- end }}
{{- end }}
{{- if eq $values.kafka.security "SSL" }}
- {name: GUARD_KAFKA__CERTIFICATE, value: /etc/compat-guard/kafka/tls.crt}
- {name: GUARD_KAFKA__KEY, value: /etc/compat-guard/kafka/tls.key}
{{- end }}
{{- if $values.kafka.ca.existingSecret }}
- {name: GUARD_KAFKA__CA, value: /etc/compat-guard/kafka-ca/ca.crt}
{{- end }}
- {name: GUARD_REGISTRY__URL, value: {{ required "registry.url: name the schema registry" $values.registry.url | quote }}}
{{- with $values.registry.existingSecret }}
- name: GUARD_REGISTRY__USERNAME
  valueFrom: {secretKeyRef: {name: {{ . }}, key: username}}
- {name: GUARD_REGISTRY__PASSWORD_FILE, value: /etc/compat-guard/registry/password}
{{- end }}
{{- if $values.registry.ca.existingSecret }}
- {name: GUARD_REGISTRY__CA, value: /etc/compat-guard/registry-ca/ca.crt}
{{- end }}
{{- end -}}

{{- define "guard.servers.mounts" -}}
{{- $values := .root.Values -}}
{{- if ne $values.kafka.security "PLAINTEXT" }}
- {name: kafka, mountPath: /etc/compat-guard/kafka, readOnly: true}
{{- end }}
{{- if $values.kafka.ca.existingSecret }}
- {name: kafka-ca, mountPath: /etc/compat-guard/kafka-ca, readOnly: true}
{{- end }}
{{- if $values.registry.existingSecret }}
- {name: registry, mountPath: /etc/compat-guard/registry, readOnly: true}
{{- end }}
{{- if $values.registry.ca.existingSecret }}
- {name: registry-ca, mountPath: /etc/compat-guard/registry-ca, readOnly: true}
{{- end }}
{{- end -}}

{{- define "guard.servers.volumes" -}}
{{- $values := .root.Values -}}
{{- if ne $values.kafka.security "PLAINTEXT" }}
- {name: kafka, secret: {secretName: {{ .secret }}, defaultMode: 0440}}
{{- end }}
{{- with $values.kafka.ca }}{{ if .existingSecret }}
- {name: kafka-ca, secret: {secretName: {{ .existingSecret }}, items: [{key: {{ .key }}, path: ca.crt}]}}
{{- end }}{{ end }}
{{- with $values.registry.existingSecret }}
- {name: registry, secret: {secretName: {{ . }}, defaultMode: 0440}}
{{- end }}
{{- with $values.registry.ca }}{{ if .existingSecret }}
- {name: registry-ca, secret: {secretName: {{ .existingSecret }}, items: [{key: {{ .key }}, path: ca.crt}]}}
{{- end }}{{ end }}
{{- end -}}

{{/* The public keys of the ledger's anchors, for whoever verifies it without the secret ones; empty where none are named. */}}
{{- define "guard.publicKeys" -}}
{{- with .Values.ledger.publicKeys -}}
{{- if .existingConfigMap -}}
- {name: public-keys, configMap: {name: {{ .existingConfigMap }}, items: [{key: {{ .key }}, path: jwks.json}]}}
{{- else if .existingSecret -}}
- {name: public-keys, secret: {secretName: {{ .existingSecret }}, defaultMode: 0440, items: [{key: {{ .key }}, path: jwks.json}]}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* All that a processor mounts: what its servers need, its configuration, its own secrets, and what values add. */}}
{{- define "guard.processor.mounts" -}}
{{- include "guard.servers.mounts" . }}
- {name: seals, mountPath: /etc/compat-guard/seals, readOnly: true}
{{- if .config }}
- {name: config, mountPath: /etc/compat-guard/config, readOnly: true}
{{- end }}
{{- if .of.postgres }}
- {name: postgres, mountPath: /etc/compat-guard/postgres, readOnly: true}
{{- end }}
{{- if .of.ledgerKeys }}
- {name: ledger-keys, mountPath: /etc/compat-guard/ledger, readOnly: true}
{{- end }}
{{- if .of.port }}
- {name: tls, mountPath: /etc/compat-guard/tls, readOnly: true}
- {name: signing-keys, mountPath: /etc/compat-guard/signing-keys, readOnly: true}
{{- if include "guard.publicKeys" .root }}
- {name: public-keys, mountPath: /etc/compat-guard/ledger, readOnly: true}
{{- end }}
{{- end }}
{{- if .of.signing }}
- {name: signing, mountPath: /etc/compat-guard/signing, readOnly: true}
{{- end }}
{{- with concat .root.Values.extraVolumeMounts (.of.extraVolumeMounts | default list) }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "guard.processor.volumes" -}}
{{- include "guard.servers.volumes" . }}
{{- with .root.Values.seals }}
- {name: seals, secret: {secretName: {{ .existingSecret | default (printf "%s-seals" (include "guard.name" $.root)) }}, defaultMode: 0440, items: [{key: {{ .key }}, path: seals.json}]}}
{{- end }}
{{- if .config }}
- {name: config, configMap: {name: {{ .config }}}}
{{- end }}
{{- with .of.postgres }}
- {name: postgres, secret: {secretName: {{ .existingSecret | default (printf "%s-postgres" $.name) }}, defaultMode: 0440, items: [{key: {{ .key }}, path: url}]}}
{{- end }}
{{- with .of.ledgerKeys }}
- {name: ledger-keys, secret: {secretName: {{ .existingSecret | default (printf "%s-keys" $.name) }}, defaultMode: 0440, items: [{key: {{ .key }}, path: keys.json}]}}
{{- end }}
{{- if .of.port }}
- {name: tls, secret: {secretName: {{ .of.tls.existingSecret | default (printf "%s-tls" $.name) }}, defaultMode: 0440}}
- {name: signing-keys, secret: {secretName: {{ .of.signingKeys.existingSecret | default (printf "%s-signing-keys" $.name) }}, defaultMode: 0440, items: [{key: {{ .of.signingKeys.key }}, path: keys.json}]}}
{{- with include "guard.publicKeys" .root }}
{{ . }}
{{- end }}
{{- end }}
{{- with .of.signing }}
- {name: signing, secret: {secretName: {{ .existingSecret | default (printf "%s-signing" $.name) }}, defaultMode: 0440, items: [{key: {{ .key }}, path: key.json}]}}
{{- end }}
{{- with concat .root.Values.extraVolumes (.of.extraVolumes | default list) }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Keeps the replicas of one processor on different nodes where it can. By node only: a constraint on a label that
nodes lack, such as a zone, would take all others of the list with it. Takes root and processor. */}}
{{- define "guard.spread" -}}
- maxSkew: 1
  topologyKey: kubernetes.io/hostname
  whenUnsatisfiable: ScheduleAnyway
  labelSelector:
    matchLabels:
      {{- include "guard.selector" .root | nindent 6 }}
      app.kubernetes.io/component: {{ .processor }}
{{- end -}}

{{/* The ports of the servers that every process calls: those of their addresses, and those of networkPolicy. */}}
{{- define "guard.ports" -}}
{{- $ports := list -}}
{{- range splitList "," .Values.kafka.bootstrap -}}
{{- with regexFind ":[0-9]+$" (trim .) }}{{ $ports = append $ports (trimPrefix ":" . | int) }}{{ end -}}
{{- end -}}
{{- $urls := list .Values.registry.url -}}
{{- if and (hasPrefix "SASL" .Values.kafka.security) (eq .Values.kafka.mechanism "OAUTHBEARER") }}{{ $urls = append $urls .Values.kafka.tokenUrl }}{{ end -}}
{{- range compact $urls -}}
{{- $url := urlParse . -}}
{{- $ports = append $ports (regexFind ":[0-9]+$" $url.host | trimPrefix ":" | default (ternary 443 80 (eq $url.scheme "https")) | int) -}}
{{- end -}}
{{- range .Values.networkPolicy.egressPorts }}{{ $ports = append $ports (int .) }}{{ end -}}
{{- $ports | uniq | toJson -}}
{{- end -}}

{{/* A rule of outgoing traffic. Takes ports, and to: the peers, none for any address. */}}
{{- define "guard.egress" -}}
- ports:
    {{- range .ports }}
    - {port: {{ . }}, protocol: TCP}
    {{- end }}
  {{- with .to }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{/* What every process may call: names, its servers, and what values add. */}}
{{- define "guard.egress.all" -}}
- ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]
{{ include "guard.egress" (dict "ports" (include "guard.ports" . | fromJsonArray) "to" .Values.networkPolicy.egressTo) }}
{{- with .Values.networkPolicy.extraEgress }}
{{ toYaml . }}
{{- end }}
{{- end -}}
