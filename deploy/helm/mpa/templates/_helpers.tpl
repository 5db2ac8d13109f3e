{{/* Of what the release's names begin with so much that the longest, with `keda-hpa-` and a service around, has 63 characters. */}}
{{- define "mpa.fullname" -}}
{{- $name := .Release.Name -}}
{{- if not (contains "mpa" $name) }}{{ $name = printf "%s-mpa" $name }}{{ end -}}
{{- $name | trunc 44 | trimSuffix "-" -}}
{{- end }}

{{/* Labels by which a component's pods are found; takes (list $ "component"). */}}
{{- define "mpa.selector" -}}
app.kubernetes.io/name: mpa
app.kubernetes.io/instance: {{ (first .).Release.Name }}
{{- with last . }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end }}

{{- define "mpa.labels" -}}
{{ include "mpa.selector" . }}
app.kubernetes.io/version: {{ (first .).Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ (first .).Release.Service }}
helm.sh/chart: {{ (first .).Chart.Name }}-{{ (first .).Chart.Version }}
{{- end }}

{{/* Takes (list $ "component" gpu). */}}
{{- define "mpa.image" -}}
{{- $image := (first .).Values.image -}}
{{- with $image.registry }}{{ . }}/{{ end }}mpa-{{ index . 1 }}:{{ $image.tag | default (first .).Chart.AppVersion }}-{{ ternary "cuda" "cpu" (last .) }}
{{- end }}

{{- define "mpa.brokers" -}}
{{- $kafka := .Values.kafka -}}
{{- if $kafka.brokers }}{{ join "," $kafka.brokers -}}
{{- else if $kafka.strimzi.enabled }}{{ include "mpa.fullname" . }}-kafka-bootstrap:9093
{{- else }}{{ fail "set kafka.brokers, or kafka.strimzi.enabled" }}
{{- end }}
{{- end }}

{{/* How the cluster is got into, as YAML: sasl, ca (name, key), user (value or name, key), password (name, key). */}}
{{- define "mpa.kafkaAccess" -}}
{{- $kafka := .Values.kafka -}}
{{- $access := dict -}}
{{- if $kafka.strimzi.enabled -}}
  {{- $name := include "mpa.fullname" . -}}
  {{- $user := printf "%s-kafka" $name -}}
  {{- $_ := set $access "sasl" "scram-sha-512" -}}
  {{- $_ := set $access "ca" (dict "name" (printf "%s-cluster-ca-cert" $name) "key" "ca.crt") -}}
  {{- $_ := set $access "user" (dict "value" $user) -}}
  {{- $_ := set $access "password" (dict "name" $user "key" "password") -}}
{{- else -}}
  {{- with $kafka.config.sasl }}{{ $_ := set $access "sasl" . }}{{ end -}}
  {{- if $kafka.caSecret.name }}{{ $_ := set $access "ca" $kafka.caSecret }}{{ end -}}
  {{- with $kafka.credentials -}}
    {{- if .secret -}}
      {{- $_ := set $access "user" (dict "name" .secret "key" .usernameKey) -}}
      {{- $_ := set $access "password" (dict "name" .secret "key" .passwordKey) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- toYaml $access -}}
{{- end }}

{{/* The `kafka` section of every configuration, as YAML. */}}
{{- define "mpa.kafka" -}}
{{- $access := include "mpa.kafkaAccess" . | fromYaml -}}
{{- $set := dict -}}
{{- with $access.sasl }}{{ $_ := set $set "sasl" . }}{{ end -}}
{{- if $access.ca }}{{ $_ := set $set "tls" (dict "ca" "/etc/mpa-kafka/ca.crt") }}{{ end -}}
{{- toYaml (mustMergeOverwrite $set (deepCopy .Values.kafka.config)) -}}
{{- end }}

{{/* A service's configuration, as YAML: what the chart knows, and `config` over it. Takes (list $ "service"). */}}
{{- define "mpa.config" -}}
{{- $root := first . -}}
{{- $name := last . -}}
{{- $values := index $root.Values $name -}}
{{- $run := $root.Values.run -}}
{{- $config := dict "listenHealth" "0.0.0.0:50052" "places" (include "mpa.places" . | fromYaml) "graceSeconds" $values.graceSeconds "kafka" (include "mpa.kafka" $root | fromYaml) -}}
{{- if eq $name "trainer" -}}
  {{- $_ := set $config "listen" "127.0.0.1:50051" -}}
{{- else -}}
  {{- $config = merge $config (dict "listen" "0.0.0.0:50051" "maxConnectionAgeSeconds" 300 "insecure" (not (or $root.Values.tls.secret $values.config.tls))) -}}
{{- end -}}
{{- if $root.Values.tls.secret }}{{ $config = merge $config (include "mpa.callers" $root | fromYaml) }}{{ end -}}
{{- if $root.Values.metrics.enabled }}{{ $_ := set $config "metrics" (dict "listen" "0.0.0.0:9100") }}{{ end -}}
{{- if ne $name "evaluator" }}{{ $_ := set $config "images" (include "mpa.images" $root | fromYaml) }}{{ end -}}
{{- if ne $name "trainer" -}}
  {{- $model := dict "cacheDir" "/data/graphs" -}}
  {{- if $values.gpu }}{{ $_ := set $model "executionProviders" (list "cuda" "cpu") }}{{ end -}}
  {{- if eq $name "parity" }}{{ $_ := set $model "checkpoint" $run.student }}{{ end -}}
  {{- if eq $name "annotator" }}{{ $_ := set $model "checkpoint" $run.teacher }}{{ end -}}
  {{- if and (eq $name "annotator") (hasPrefix "http" $run.teacher) -}}
    {{- $_ := set $config "endpoint" (dict "url" $run.teacher "model" $run.teacherModel) -}}
  {{- else -}}
    {{- $_ := set $config "model" $model -}}
  {{- end -}}
{{- end -}}
{{- if and (eq $name "trainer") $values.gpu }}{{ $_ := set $config "device" "cuda" }}{{ end -}}
{{- toYaml (mustMergeOverwrite $config (deepCopy $values.config)) -}}
{{- end }}

{{/* Pod settings of every component; takes (list $ values). */}}
{{- define "mpa.pod" -}}
{{- $values := last . -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with $values.serviceAccountName }}
serviceAccountName: {{ . }}
{{- end }}
{{- with $values.runtimeClassName }}
runtimeClassName: {{ . }}
{{- end }}
{{- with (first .).Values.image.pullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: { type: RuntimeDefault }
{{- with $values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Labels and annotations of a component's pods; takes (list $ "component" $values annotations). */}}
{{- define "mpa.podMetadata" -}}
{{- $values := index . 2 -}}
labels: {{- mustMerge (include "mpa.selector" (list (first .) (index . 1)) | fromYaml) $values.podLabels | toYaml | nindent 2 }}
{{- with mustMerge (last .) $values.podAnnotations }}
annotations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Container settings of every component; takes (list $ values). */}}
{{- define "mpa.container" -}}
{{- $root := first . -}}
{{- $values := last . -}}
{{- $access := include "mpa.kafkaAccess" $root | fromYaml -}}
imagePullPolicy: {{ $root.Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
{{- $token := $root.Values.tls.token -}}
{{- if or $access.user $token.secret $values.env }}
env:
  {{- if $token.secret }}
  - name: MPA_TOKEN
    valueFrom: { secretKeyRef: { name: {{ $token.secret }}, key: {{ $token.key }} } }
  {{- end }}
  {{- with $access.user }}
  - name: MPA_KAFKA_USERNAME
    {{- if .value }}
    value: {{ .value }}
    {{- else }}
    valueFrom: { secretKeyRef: {{ toJson . }} }
    {{- end }}
  - name: MPA_KAFKA_PASSWORD
    valueFrom: { secretKeyRef: {{ toJson $access.password }} }
  {{- end }}
  {{- with $values.env }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- $resources := deepCopy $values.resources -}}
{{- if $values.gpu }}{{ $resources = mustMergeOverwrite (dict "limits" (dict "nvidia.com/gpu" 1)) $resources }}{{ end }}
{{- with $resources }}
resources: {{- toYaml . | nindent 2 }}
{{- end }}
volumeMounts:
  - { name: config, mountPath: /etc/mpa, readOnly: true }
  - { name: data, mountPath: /data }
  - { name: tmp, mountPath: /tmp }
  {{- if $access.ca }}
  - { name: kafka-ca, mountPath: /etc/mpa-kafka, readOnly: true }
  {{- end }}
  {{- if $root.Values.tls.secret }}
  - { name: tls, mountPath: /etc/mpa-tls, readOnly: true }
  {{- end }}
  {{- with $values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{/* Volumes of every component; takes (list $ "component" $values). */}}
{{- define "mpa.volumes" -}}
{{- $root := first . -}}
{{- $ca := (include "mpa.kafkaAccess" $root | fromYaml).ca -}}
- name: config
  configMap: { name: {{ include "mpa.fullname" $root }}-{{ index . 1 }} }
- name: data
  persistentVolumeClaim: { claimName: {{ $root.Values.data.existingClaim | default (printf "%s-data" (include "mpa.fullname" $root)) }} }
- name: tmp
  emptyDir: { sizeLimit: 1Gi }
{{- if $ca }}
- name: kafka-ca
  secret: { secretName: {{ $ca.name }}, items: [{ key: {{ $ca.key }}, path: ca.crt }] }
{{- end }}
{{- with $root.Values.tls.secret }}
- name: tls
  secret: { secretName: {{ . }} }
{{- end }}
{{- with (last .).extraVolumes }}
{{- toYaml . | nindent 0 }}
{{- end }}
{{- end }}

{{/* Where a pod shows its metrics, after its other ports. */}}
{{- define "mpa.metricsPort" -}}
{{- if .Values.metrics.enabled }}, { name: metrics, containerPort: 9100 }{{ end -}}
{{- end }}

{{/* How the kubelet asks a service for its health: by gRPC's own protocol, unencrypted, as kubelets speak no TLS. */}}
{{- define "mpa.probe" -}}
grpc: { port: 50052 }
{{- end }}

{{/* The cluster has its names in common: they hold the namespace. Takes (list $ "work" or "training"). */}}
{{- define "mpa.priorityClass" -}}
{{- $root := first . -}}
{{ $root.Release.Namespace }}-{{ include "mpa.fullname" $root }}-{{ last . }}
{{- end }}

{{/* Takes (list $ values "work" or "training"). */}}
{{- define "mpa.priority" -}}
{{- $root := first . -}}
{{- $name := (index . 1).priorityClassName -}}
{{- if and (not $name) $root.Values.priorityClasses.enabled }}{{ $name = include "mpa.priorityClass" (list $root (last .)) }}{{ end -}}
{{- with $name }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}
