{{/* The file of --config. Who is gone has the time to get a machine, as without this key, and then to start. */}}
{{- define "mpa.alignConfig" -}}
{{- $patience := add 600 (max .Values.annotator.startupSeconds .Values.parity.startupSeconds .Values.evaluator.startupSeconds) -}}
{{- $config := dict "images" (include "mpa.images" . | fromYaml) "kafka" (include "mpa.kafka" . | fromYaml) "patienceSeconds" $patience -}}
{{- if .Values.metrics.enabled }}{{ $_ := set $config "metrics" (dict "listen" "0.0.0.0:9101") }}{{ end -}}
{{- toYaml (mustMergeOverwrite $config (deepCopy .Values.align.config)) -}}
{{- end }}

{{/* Arguments of `mpa align`, as YAML. */}}
{{- define "mpa.alignArguments" -}}
{{- $run := .Values.run -}}
{{- $args := list "align" "--images" $run.images "--task" $run.task "--teacher" $run.teacher "--student" $run.student -}}
{{- with $run.teacherModel }}{{ $args = concat $args (list "--teacher-model" .) }}{{ end -}}
{{- with $run.imageRoots }}{{ $args = concat $args (list "--image-root") . }}{{ end -}}
{{- with $run.evaluation.annotations }}{{ $args = concat $args (list "--eval" . "--eval-images" $run.evaluation.images) }}{{ end -}}
{{- $args = concat $args (list "--out" (printf "/data/runs/%s" $run.name) "--prefix" $run.name) -}}
{{- $args = concat $args (list "--streams" "kafka" "--brokers" (include "mpa.brokers" .)) -}}
{{- $args = concat $args (list "--config" "/etc/mpa/align.yaml" "--endpoints" "/etc/mpa/endpoints.yaml" "--json") -}}
{{- toYaml $args -}}
{{- end }}

{{/* The driver's pod: topics first, so that KEDA finds them; then the trainer beside it, which ends with it. */}}
{{- define "mpa.alignPod" -}}
{{- $align := .Values.align -}}
{{- $trainer := .Values.trainer -}}
{{- $image := include "mpa.image" (list . "align" false) -}}
{{- $kafka := .Values.kafka.config -}}
{{- $topics := list "topics" "--brokers" (include "mpa.brokers" .) "--prefix" .Values.run.name "--create" "--config" "/etc/mpa/align.yaml" -}}
restartPolicy: Never
{{- include "mpa.pod" (list . $align) | nindent 0 }}
{{- include "mpa.priority" (list . $align "training") | nindent 0 }}
terminationGracePeriodSeconds: {{ add $trainer.graceSeconds 60 }}
initContainers:
  # A sidecar that does not start is tried for ever, with its GPU: what is wrong with its configuration ends the Job here.
  - name: check-trainer
    image: {{ include "mpa.image" (list . "trainer" $trainer.gpu) }}
    args: [--config, /etc/mpa/trainer.yaml, --check]
    {{- include "mpa.container" (list . $align) | nindent 4 }}
  {{- range $i, $arguments := append $align.prepare $topics }}
  - name: prepare-{{ $i }}
    image: {{ $image }}
    args: {{- toYaml $arguments | nindent 6 }}
    {{- include "mpa.container" (list $ $align) | nindent 4 }}
  {{- end }}
  - name: trainer
    image: {{ include "mpa.image" (list . "trainer" $trainer.gpu) }}
    restartPolicy: Always
    args: [--config, /etc/mpa/trainer.yaml]
    {{- include "mpa.container" (list . $trainer) | nindent 4 }}
    ports: [{ name: health, containerPort: 50052 }{{ include "mpa.metricsPort" . }}]
    # No liveness: a step of training may hold the answer up for minutes.
    startupProbe:
      {{- include "mpa.probe" $trainer | nindent 6 }}
      periodSeconds: 5
      failureThreshold: {{ div (add $trainer.startupSeconds 4) 5 }}
containers:
  - name: align
    image: {{ $image }}
    args: {{- include "mpa.alignArguments" . | nindent 6 }}
    {{- include "mpa.container" (list . $align) | nindent 4 }}
    {{- if .Values.metrics.enabled }}
    # The trainer beside it has the other one.
    ports: [{ name: metrics-align, containerPort: 9101 }]
    {{- end }}
volumes: {{- include "mpa.volumes" (list . "align" $align) | nindent 2 }}
{{- end }}
