//! Whether two volumes are the same bytes. In doubt they are: a false alarm delays an exit, the opposite
//! destroys another department's data (Art. 23).

use serde_json::Value;

use super::volumes::Volume;

/// Fields of a source that say how it is mounted, not what it is.
const MOUNTING: [&str; 10] = [
    "controllerExpandSecretRef",
    "controllerPublishSecretRef",
    "fsType",
    "nodeExpandSecretRef",
    "nodePublishSecretRef",
    "nodeStageSecretRef",
    "readOnly",
    "type",
    "user",
    "volumeAttributes",
];

/// Whether destroying one of the two touches the other.
pub(super) fn same_bytes(a: &Volume, b: &Volume) -> bool {
    let (Some((kind, a_source)), Some((b_kind, b_source))) = (typed(&a.source), typed(&b.source)) else {
        return false;
    };
    match (kind, b_kind) {
        // A CSI driver names a volume by its handle; the rest is mounting.
        ("csi", "csi") => ["driver", "volumeHandle"].iter().all(|field| a_source[*field] == b_source[*field]),
        ("nfs", "nfs") => a_source["server"] == b_source["server"] && nested(a_source, b_source),
        // Both are directories of a node; without an affinity, of every node.
        ("hostPath" | "local", "hostPath" | "local") => {
            let apart = !a.node_affinity.is_null()
                && !b.node_affinity.is_null()
                && a.node_affinity != b.node_affinity;
            !apart && nested(a_source, b_source)
        }
        _ => kind == b_kind && essence(a_source) == essence(b_source),
    }
}

/// The one typed source of a volume, such as `hostPath`.
fn typed(source: &Value) -> Option<(&str, &Value)> {
    source.as_object()?.iter().find(|(_, v)| !v.is_null()).map(|(kind, v)| (kind.as_str(), v))
}

/// Whether one path is the other or holds it: removing `/data` removes `/data/travel` too.
fn nested(a: &Value, b: &Value) -> bool {
    let parts = |source: &Value| -> Vec<String> {
        let path = source["path"].as_str().unwrap_or_default();
        path.split('/').filter(|part| !part.is_empty() && *part != ".").map(str::to_owned).collect()
    };
    let (a, b) = (parts(a), parts(b));
    a.starts_with(&b) || b.starts_with(&a)
}

fn essence(source: &Value) -> Value {
    let mut source = source.clone();
    if let Value::Object(fields) = &mut source {
        fields.retain(|field, value| !MOUNTING.contains(&field.as_str()) && !value.is_null());
    }
    source
}
