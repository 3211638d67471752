{{/* Labels of everything that Helm installs. */}}
{{- define "govcloud.labels" -}}
app.kubernetes.io/part-of: govcloud-operator
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name (.Chart.Version | replace "+" "_") }}
{{- end }}

{{/* The policies know the operator by its namespace and name, so there is one of it in a cluster, in its own place. */}}
{{- define "govcloud.place" -}}
{{- if ne .Release.Namespace "govcloud-system" }}
{{- fail (printf "install into namespace govcloud-system (you said %s): the admission policies know the operator as govcloud-system/govcloud-operator. Try: helm install %s … --namespace govcloud-system --create-namespace" .Release.Namespace .Release.Name) }}
{{- end }}
{{- end }}

{{- define "govcloud.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{/* One object of a shipped file with Helm's labels. Takes a dict: root, text, keep. Not for objects with numbers,
     which this way would become floating-point ones. */}}
{{- define "govcloud.shipped" -}}
{{- $object := fromYaml .text }}
{{- if hasKey $object "Error" }}{{ fail (printf "%s in: %s" $object.Error .text) }}{{ end }}
{{- $labels := merge (fromYaml (include "govcloud.labels" .root)) ($object.metadata.labels | default dict) }}
{{- $_ := set $object.metadata "labels" $labels }}
{{- if .keep }}
{{- $_ := set $object.metadata "annotations" (merge (dict "helm.sh/resource-policy" "keep") ($object.metadata.annotations | default dict)) }}
{{- end }}
{{- toYaml $object }}
{{- end }}

{{/* Each document of a shipped file that is not empty, separated. Takes a dict: root, text, keep. */}}
{{- define "govcloud.documents" -}}
{{- $ := . }}
{{- range $text := splitList "\n---\n" .text }}
{{- if regexMatch "(?m)^kind: " $text }}
---
{{ include "govcloud.shipped" (dict "root" $.root "text" $text "keep" $.keep) }}
{{- end }}
{{- end }}
{{- end }}

{{/* A policy file for this cluster's namespace controller. Takes a dict: root, text. */}}
{{- define "govcloud.policy" -}}
{{ .text | replace "system:serviceaccount:kube-system:namespace-controller" .root.Values.policies.namespaceController }}
{{- end }}

{{/* What Pod Security `restricted` asks of a Pod, and of a container; and a root file system that is read-only. */}}
{{- define "govcloud.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end }}
{{- define "govcloud.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}
