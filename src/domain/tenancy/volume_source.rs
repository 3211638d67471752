//! Comparison of volume sources: two volumes can be the same bytes. In doubt they are: a false alarm delays an exit, the opposite
//! destroys another department's data (Art. 23).

use serde_json::Value;

use super::storage_inventory::Volume;

/// Server of the directories of nodes.
const NODE: &str = "node";

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

/// Fields of a PersistentVolume's spec that are no source.
const NO_SOURCE: [&str; 9] = [
    "accessModes",
    "capacity",
    "claimRef",
    "mountOptions",
    "nodeAffinity",
    "persistentVolumeReclaimPolicy",
    "storageClassName",
    "volumeAttributesClassName",
    "volumeMode",
];

/// The source of a PersistentVolume with its type: `{"hostPath": {"path": …}}`.
#[must_use]
pub fn source_of(volume: &Value) -> Value {
    let Some(spec) = volume["spec"].as_object() else { return Value::Null };
    let source = spec.iter().filter(|(field, _)| !NO_SOURCE.contains(&field.as_str()));
    source.map(|(field, value)| (field.clone(), value.clone())).collect()
}

/// The place of the bytes behind a source, as far as the source tells.
#[derive(Debug, PartialEq)]
struct Place {
    /// A name that two sources of the same bytes have in common: a CSI driver's handle, an image.
    name: Option<String>,
    /// A directory, for sources that are one: its server and its path. It holds whatever lies below it.
    directory: Option<(String, Vec<String>)>,
}

/// Returns true if destroying one of the two touches the other.
pub(super) fn same_bytes(a: &Volume, b: &Volume) -> bool {
    let (one, other) = (place(&a.source), place(&b.source));
    if one.name.is_some() && one.name == other.name {
        return true;
    }
    let (Some((server, path)), Some((other_server, other_path))) = (one.directory, other.directory) else {
        return false;
    };
    // A node's directory is one of every node where no affinity is given.
    let apart = server == NODE
        && !a.node_affinity.is_null()
        && !b.node_affinity.is_null()
        && a.node_affinity != b.node_affinity;
    server == other_server && !apart && (path.starts_with(&other_path) || other_path.starts_with(&path))
}

/// Index keys under which a volume is found as one that may be the same bytes as another: where `same_bytes` holds of
/// two volumes, each has one of its [`marks`] among the other's [`reach`].
#[must_use]
pub fn marks(source: &Value) -> Vec<String> {
    let Place { name, directory } = place(source);
    let mut marks: Vec<_> = name.map(|name| format!("source/{name}")).into_iter().collect();
    if let Some((server, path)) = directory {
        marks.extend((0..path.len()).map(|n| format!("above/{server}/{}", path[..n].join("/"))));
        marks.push(format!("at/{server}/{}", path.join("/")));
    }
    marks
}

/// Index keys under which the volumes stand that may be the same bytes.
#[must_use]
pub fn reach(source: &Value) -> Vec<String> {
    let Place { name, directory } = place(source);
    let mut reach: Vec<_> = name.map(|name| format!("source/{name}")).into_iter().collect();
    if let Some((server, path)) = directory {
        // A directory that holds it or is it stands at one of these; one that it holds has it above itself.
        reach.extend((0..=path.len()).map(|n| format!("at/{server}/{}", path[..n].join("/"))));
        reach.push(format!("above/{server}/{}", path.join("/")));
    }
    reach
}

fn place(source: &Value) -> Place {
    let Some((kind, source)) = typed(source) else { return Place { name: None, directory: None } };
    let text = |field: &str| source[field].as_str().unwrap_or_default();
    let directory = |server: String, path: &str| Place { name: None, directory: Some((server, parts(path))) };
    match kind {
        "nfs" => directory(format!("nfs/{}", host(text("server"))), text("path")),
        "hostPath" | "local" => directory(NODE.to_owned(), text("path")),
        "csi" => Place {
            name: Some(format!("csi/{}/{}", source["driver"], source["volumeHandle"])),
            directory: csi_directory(text("driver"), &source["volumeAttributes"]),
        },
        _ => {
            let canonical = serde_json_canonicalizer::to_string(&essence(source)).unwrap_or_default();
            Place { name: Some(format!("{kind}/{canonical}")), directory: None }
        }
    }
}

/// The directory that a CSI volume is, by the attributes of the drivers for NFS (`server`, `share`, `subDir`) and SMB
/// (`source`, `subDir`), which others follow. A static volume's handle is any text, so that two handles can be one share.
fn csi_directory(driver: &str, attributes: &Value) -> Option<(String, Vec<String>)> {
    let attribute = |name: &str| {
        let mut attributes = attributes.as_object().into_iter().flatten();
        attributes.find(|(key, _)| key.eq_ignore_ascii_case(name)).and_then(|(_, value)| value.as_str())
    };
    if !["server", "source", "share"].into_iter().any(|name| attribute(name).is_some()) {
        return None;
    }
    let server = host(attribute("server").unwrap_or_default());
    // SMB's source is `//server/share`, in any case.
    let path = ["source", "share", "path"].into_iter().filter_map(attribute).map(|path| match driver {
        "smb.csi.k8s.io" => path.to_lowercase(),
        _ => path.to_owned(),
    });
    let below = ["subDir"].into_iter().filter_map(attribute).map(str::to_owned);
    let path = parts(&path.chain(below).collect::<Vec<_>>().join("/"));
    let server = match driver {
        // An in-tree NFS volume of this export is the same.
        "nfs.csi.k8s.io" => format!("nfs/{server}"),
        _ => format!("csi/{driver}/{server}"),
    };
    Some((server, path))
}

/// The one typed source of a volume, such as `hostPath`.
fn typed(source: &Value) -> Option<(&str, &Value)> {
    source.as_object()?.iter().find(|(_, v)| !v.is_null()).map(|(kind, v)| (kind.as_str(), v))
}

/// A host's name in one spelling.
fn host(name: &str) -> String {
    name.trim_end_matches('.').to_lowercase()
}

/// The parts of a path, as far as it leads: without `.`, `..` and empty parts. Nothing is above the root.
fn parts(path: &str) -> Vec<String> {
    path.split('/').fold(Vec::new(), |mut parts, part| {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part.to_owned()),
        }
        parts
    })
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

    fn path() -> impl Strategy<Value = String> {
        prop::collection::vec("[ab]|\\.|\\.\\.|", 0..4).prop_map(|parts| format!("/{}", parts.join("/")))
    }

    fn source() -> impl Strategy<Value = Value> {
        let driver = prop::sample::select(&["nfs.csi.k8s.io", "smb.csi.k8s.io", "other.example.com"][..]);
        (0..8usize, path(), path(), "[xyX]", "[xy]", driver).prop_map(|(kind, path, sub, a, b, driver)| {
            match kind {
                0 => json!({"hostPath": {"path": path, "type": a}}),
                1 => json!({"local": {"path": path}}),
                2 => json!({"nfs": {"server": a, "path": path, "readOnly": true}}),
                3 => json!({"csi": {"driver": driver, "volumeHandle": b, "fsType": path}}),
                4 => json!({"csi": {"driver": driver, "volumeHandle": b,
                "volumeAttributes": {"server": a, "share": path, "subDir": sub, "note": b}}}),
                5 => json!({"csi": {"driver": driver, "volumeHandle": b,
                "volumeAttributes": {"source": format!("//{a}{path}"), "subdir": sub}}}),
                6 => json!({"rbd": {"image": a, "monitors": [b], "user": path}}),
                _ => Value::Null,
            }
        })
    }

    fn volume(source: Value) -> Volume {
        Volume { source, ..Volume::default() }
    }

    fn same(a: Value, b: Value) -> bool {
        let (a, b) = (volume(a), volume(b));
        assert_eq!(same_bytes(&a, &b), same_bytes(&b, &a));
        same_bytes(&a, &b)
    }

    fn csi(driver: &str, handle: &str, attributes: Value) -> Value {
        json!({"csi": {"driver": driver, "volumeHandle": handle, "volumeAttributes": attributes}})
    }

    #[test]
    fn art_23_static_volumes_of_one_share_are_the_same_whatever_their_handles() {
        let nfs = |handle, attributes| csi("nfs.csi.k8s.io", handle, attributes);
        let share = || json!({"server": "nfs.example.com", "share": "/export"});
        assert!(same(nfs("one", share()), nfs("two", share())));
        let other_server = json!({"server": "other.example.com", "share": "/export"});
        assert!(!same(nfs("one", share()), nfs("two", other_server)));
        let sub = |sub: &str| json!({"server": "NFS.example.com.", "share": "/export/", "subDir": sub});
        assert!(same(nfs("one", share()), nfs("two", sub("a"))), "a share holds its directories");
        assert!(!same(nfs("one", sub("a")), nfs("two", sub("b"))), "as they are provisioned");
        let in_tree = json!({"nfs": {"server": "nfs.example.com", "path": "/export/a"}});
        assert!(same(in_tree, nfs("two", sub("a"))), "whichever driver mounts it");
        let smb = |handle, source: &str| csi("smb.csi.k8s.io", handle, json!({"source": source}));
        assert!(same(smb("one", "//files/Share"), smb("two", "//FILES/share/")));
        assert!(!same(smb("one", "//files/share"), smb("two", "//files/other")));
        let any = |handle, path: &str| csi("any.example.com", handle, json!({"server": "s", "path": path}));
        assert!(same(any("one", "/a"), any("two", "/a")) && !same(any("one", "/a"), any("two", "/b")));
        let plain = |handle| csi("any.example.com", handle, json!({"pool": "fast"}));
        assert!(!same(plain("one"), plain("two")) && same(plain("one"), plain("one")));
    }

    #[test]
    fn art_23_a_path_is_where_it_leads() {
        let nfs = |path: &str| json!({"nfs": {"server": "s", "path": path}});
        assert!(same(nfs("/data/../data/travel/"), nfs("//data/./travel")));
        assert!(same(nfs("/other/../data"), nfs("/data/travel")));
        assert!(!same(nfs("/data/../other"), nfs("/data")));
        assert!(same(nfs("/../../data"), nfs("/data")), "nothing is above the root");
    }

    proptest! {
        #[test]
        fn whatever_may_be_the_same_bytes_is_found(a in source(), b in source(), node in "[nm]?") {
            let volume = |source: Value| Volume { source, node_affinity: json!(node), ..Volume::default() };
            if same_bytes(&volume(a.clone()), &volume(b.clone())) {
                prop_assert!(marks(&a).iter().any(|m| reach(&b).contains(m)), "{} and {}", a, b);
                prop_assert!(marks(&b).iter().any(|m| reach(&a).contains(m)), "{} and {}", a, b);
            }
        }

        #[test]
        fn handles_do_not_tell_directories_apart(
            path in path(), sub in path(), driver in "nfs\\.csi\\.k8s\\.io|any", handles in ("[ab]{1,3}", "[cd]{1,3}"),
        ) {
            let spelled = |path: &str| format!("{path}/x/..//./");
            let one = csi(&driver, &handles.0, json!({"server": "s", "share": path, "subdir": sub}));
            let other = json!({"server": "S", "share": spelled(&path), "subdir": spelled(&sub), "x": handles.1});
            prop_assert!(same(one, csi(&driver, &handles.1, other)));
        }

        #[test]
        fn every_source_is_the_same_as_itself(source in source()) {
            prop_assert!(source.is_null() || same(source.clone(), source));
        }
    }
}
