{{/* The name in the certificate of all pods. */}}
{{- define "mpa.serverName" -}}
{{- .Values.tls.serverName | default (include "mpa.fullname" .) -}}
{{- end }}

{{/* Who gets to call a service, as YAML: whoever shows the release's certificate, or its token. */}}
{{- define "mpa.callers" -}}
{{- $tls := dict "cert" "/etc/mpa-tls/tls.crt" "key" "/etc/mpa-tls/tls.key" -}}
{{- if .Values.tls.token.secret -}}
  {{- toYaml (dict "tls" $tls "callers" (list (dict "tokenVariable" "MPA_TOKEN"))) -}}
{{- else -}}
  {{- $_ := set $tls "ca" "/etc/mpa-tls/ca.crt" -}}
  {{- toYaml (dict "tls" $tls "callers" (list (dict "certificate" (include "mpa.serverName" .)))) -}}
{{- end -}}
{{- end }}

{{/* The file of --endpoints: the services by their names, and how they are reached. */}}
{{- define "mpa.endpoints" -}}
{{- $endpoints := dict "trainer" "127.0.0.1:50051" -}}
{{- range list "annotator" "parity" "evaluator" -}}
  {{- $_ := set $endpoints . (printf "dns:///%s-%s:50051" (include "mpa.fullname" $) .) -}}
{{- end -}}
{{- if .Values.tls.secret -}}
  {{- $tls := dict "ca" "/etc/mpa-tls/ca.crt" "serverName" (include "mpa.serverName" .) -}}
  {{- if not .Values.tls.token.secret }}{{ $tls = merge $tls (dict "cert" "/etc/mpa-tls/tls.crt" "key" "/etc/mpa-tls/tls.key") }}{{ end -}}
  {{- $_ := set $endpoints "tls" $tls -}}
{{- else if .Values.tls.token.secret -}}
  {{- fail "tls.token needs tls.secret: a token does not travel unencrypted" -}}
{{- end -}}
{{- toYaml (mustMergeOverwrite $endpoints (deepCopy .Values.align.endpoints)) -}}
{{- end }}
