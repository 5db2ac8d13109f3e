{{/* Keys `images` of whoever reads images, as YAML: `run.allowHosts` are among the hosts. */}}
{{- define "mpa.images" -}}
{{- $hosts := concat .Values.run.allowHosts (.Values.images.allowHosts | default list) | uniq -}}
{{- toYaml (merge (dict "allowHosts" $hosts) .Values.images) -}}
{{- end }}

{{/*
What callers of a service may name, as YAML: the volume, the brokers, and what the run names outside of the volume: images to who
reads them, models to who opens them as it is told. Web servers are up to `images.allowHosts`. Takes (list $ "service").
*/}}
{{- define "mpa.places" -}}
{{- $root := first . -}}
{{- $run := $root.Values.run -}}
{{- $named := list -}}
{{- if eq (last .) "evaluator" -}}
  {{- $named = list $run.teacher $run.student $run.evaluation.annotations $run.evaluation.images -}}
{{- else -}}
  {{- $named = append $run.imageRoots (include "mpa.imageRoot" $run.images) -}}
  {{- if eq (last .) "trainer" }}{{ $named = append $named $run.student }}{{ end -}}
{{- end -}}
{{- $read := list -}}
{{- range compact $named | uniq -}}
  {{- if not (hasPrefix "/data/" (printf "%s/" .)) }}{{ $read = append $read . }}{{ end -}}
{{- end -}}
{{- toYaml (dict "write" (list "/data" (printf "kafka://%s" (include "mpa.brokers" $root))) "read" $read) -}}
{{- end }}

{{/* Below what the images of a source are: of S3 the bucket, of a list or a glob its folder; of a web server nothing. */}}
{{- define "mpa.imageRoot" -}}
{{- if hasPrefix "/" . -}}
  {{- $folder := regexReplaceAll "[^/]*[*?{\\[].*$" . "" -}}
  {{- regexReplaceAll "(.)/$" (regexReplaceAll "[^/]*\\.(txt|jsonl)$" $folder "") "$1" -}}
{{- else -}}
  {{- regexFind "^s3://[^/*?]+" . -}}
{{- end -}}
{{- end }}
