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

/// Words by which a volume is found as one that may be the same bytes as another: where `same_bytes` holds of two
/// volumes, each has a word of [`marks`] among the other's [`reach`].
pub fn marks(source: &Value) -> Vec<String> {
    let Some((kind, source)) = typed(source) else { return Vec::new() };
    match path_of(kind, source) {
        Some((place, parts)) => {
            let above = (0..parts.len()).map(|n| format!("above/{place}/{}", parts[..n].join("/")));
            above.chain([format!("at/{place}/{}", parts.join("/"))]).collect()
        }
        None => vec![format!("source/{}", identity(kind, source))],
    }
}

/// Words under which the volumes stand that may be the same bytes.
pub fn reach(source: &Value) -> Vec<String> {
    let Some((kind, source)) = typed(source) else { return Vec::new() };
    match path_of(kind, source) {
        Some((place, parts)) => {
            // What holds it or is it stands at one of these; what it holds has it above itself.
            let at = (0..=parts.len()).map(|n| format!("at/{place}/{}", parts[..n].join("/")));
            at.chain([format!("above/{place}/{}", parts.join("/"))]).collect()
        }
        None => vec![format!("source/{}", identity(kind, source))],
    }
}

/// Where a path is one of, and its parts, for sources that are directories.
fn path_of<'a>(kind: &str, source: &'a Value) -> Option<(String, Vec<&'a str>)> {
    match kind {
        "nfs" => Some((format!("nfs/{}", source["server"]), parts(source))),
        "hostPath" | "local" => Some(("node".to_owned(), parts(source))),
        _ => None,
    }
}

/// What tells sources of other kinds apart; sources that say the same come to the same.
fn identity(kind: &str, source: &Value) -> String {
    match kind {
        "csi" => format!("csi/{}/{}", source["driver"], source["volumeHandle"]),
        _ => {
            let canonical = serde_json_canonicalizer::to_string(&essence(source)).unwrap_or_default();
            format!("{kind}/{canonical}")
        }
    }
}

/// The one typed source of a volume, such as `hostPath`.
fn typed(source: &Value) -> Option<(&str, &Value)> {
    source.as_object()?.iter().find(|(_, v)| !v.is_null()).map(|(kind, v)| (kind.as_str(), v))
}

/// Whether one path is the other or holds it: removing `/data` removes `/data/travel` too.
fn nested(a: &Value, b: &Value) -> bool {
    let (a, b) = (parts(a), parts(b));
    a.starts_with(&b) || b.starts_with(&a)
}

/// The parts of a source's path.
fn parts(source: &Value) -> Vec<&str> {
    let path = source["path"].as_str().unwrap_or_default();
    path.split('/').filter(|part| !part.is_empty() && *part != ".").collect()
}

fn essence(source: &Value) -> Value {
    let mut source = source.clone();
    if let Value::Object(fields) = &mut source {
        fields.retain(|field, value| !MOUNTING.contains(&field.as_str()) && !value.is_null());
    }
    source
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn source() -> impl Strategy<Value = Value> {
        let path = prop::collection::vec("[ab]|\\.|", 0..4).prop_map(|parts| format!("/{}", parts.join("/")));
        (0..6usize, path, "[xy]", "[xy]", any::<bool>()).prop_map(|(kind, path, a, b, flag)| match kind {
            0 => json!({"hostPath": {"path": path, "type": a}}),
            1 => json!({"local": {"path": path}}),
            2 => json!({"nfs": {"server": a, "path": path, "readOnly": flag}}),
            3 => json!({"csi": {"driver": a, "volumeHandle": b, "fsType": path}}),
            4 => json!({"rbd": {"image": a, "monitors": [b], "user": path}}),
            _ => Value::Null,
        })
    }

    proptest! {
        #[test]
        fn whatever_may_be_the_same_bytes_is_found(a in source(), b in source(), node in "[nm]?") {
            let volume = |source: Value| Volume { source, node_affinity: json!(node), ..Volume::default() };
            let (one, other) = (volume(a.clone()), volume(b.clone()));
            if same_bytes(&one, &other) {
                prop_assert!(marks(&a).iter().any(|m| reach(&b).contains(m)), "{} and {}", a, b);
                prop_assert!(marks(&b).iter().any(|m| reach(&a).contains(m)), "{} and {}", a, b);
            }
        }
    }
}
