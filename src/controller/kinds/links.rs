//! Links: the way from a record to the objects that it reads, and from an object to the records that read it. Both
//! directions of a link stand side by side; `tests/lives/triggers.rs` holds them together.

use govcloud_api::keys;
use govcloud_api::resources::{
    CHANGE_REQUEST, CLOUD_APPLICATION, COMPLIANCE_RECORD, NAMESPACE, PERSISTENT_VOLUME, REGION,
    RESOURCE_GRANT, SERVICE_CATALOG, STORAGE_CLASS, VOLUME_SNAPSHOT_CONTENT, WORK_CALENDAR,
};
use govcloud_domain::plan::Target;
use serde_json::Value;

use crate::cache::{Object, text};
use crate::cluster_state::ClusterState;
use crate::index::IndexKey;
use crate::key::Key;
use crate::kinds::Kind;

/// A link between records and objects.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    /// Targets of a record, whether they exist or not.
    pub targets: fn(&ClusterState, &Object) -> Vec<Target>,
    /// Records of a kind that read an object.
    pub readers: fn(&ClusterState, &Object, Kind) -> Vec<Key>,
}

/// No target that could be read by name.
pub fn no_targets(_: &ClusterState, _: &Object) -> Vec<Target> {
    Vec::new()
}

fn keys_of(state: &ClusterState, reader: Kind, key: &IndexKey) -> Vec<Key> {
    state.store(reader).find(key).iter().map(|o| o.key()).collect()
}

/// The Region that a record names, and the Region above that.
pub const REGION_OF_RECORD: Link = Link { targets: region_targets, readers: region_readers };

fn region_targets(state: &ClusterState, record: &Object) -> Vec<Target> {
    let Some(code) = state.region_code(record) else { return Vec::new() };
    let mut targets =
        if record.kind == Kind::Region { Vec::new() } else { vec![Target::named(REGION, &code)] };
    let parent = state.region_spec(&code).and_then(|s| s["parent"].as_str().map(str::to_owned));
    targets.extend(parent.map(|p| Target::named(REGION, &p)));
    targets
}

/// Records of the Region and of those below it. People write the names: a circle ends where it began.
fn region_readers(state: &ClusterState, region: &Object, reader: Kind) -> Vec<Key> {
    let mut codes = vec![region.name().to_owned()];
    let mut next = 0;
    while let Some(code) = codes.get(next).cloned() {
        for below in state.store(Kind::Region).find(&IndexKey::Parent(code)) {
            if !codes.iter().any(|c| c == below.name()) {
                codes.push(below.name().to_owned());
            }
        }
        next += 1;
    }
    codes.into_iter().flat_map(|code| keys_of(state, reader, &IndexKey::Region(code))).collect()
}

/// Records of the Regions that an index key finds.
fn readers_of_regions(state: &ClusterState, key: &IndexKey, reader: Kind) -> Vec<Key> {
    let regions = state.store(Kind::Region).find(key);
    regions.iter().flat_map(|r| keys_of(state, reader, &IndexKey::Region(r.name().to_owned()))).collect()
}

/// Targets that the Region of a record names.
fn named_by_region<I: IntoIterator<Item = Target>>(
    state: &ClusterState,
    record: &Object,
    named: impl FnOnce(&Value) -> I,
) -> Vec<Target> {
    let spec = state.region_code(record).and_then(|code| state.region_spec(&code));
    spec.map(|spec| named(&spec).into_iter().collect()).unwrap_or_default()
}

/// The WorkCalendar of a record's Region.
pub const CALENDAR_OF_REGION: Link = Link {
    targets: |state, record| {
        named_by_region(state, record, |s| s["calendar"].as_str().map(|c| Target::named(WORK_CALENDAR, c)))
    },
    readers: |state, calendar, reader| {
        readers_of_regions(state, &IndexKey::Calendar(calendar.name().to_owned()), reader)
    },
};

/// The ServiceCatalogs of a record's Region.
pub const CATALOGS_OF_REGION: Link = Link {
    targets: |state, record| {
        named_by_region(state, record, |s| {
            catalogs(s).iter().map(|c| Target::named(SERVICE_CATALOG, c)).collect::<Vec<_>>()
        })
    },
    readers: |state, catalog, reader| {
        readers_of_regions(state, &IndexKey::Catalog(catalog.name().to_owned()), reader)
    },
};

/// Names of the ServiceCatalogs in a Region's spec, each once.
pub(super) fn catalogs(spec: &Value) -> Vec<String> {
    let several = spec["catalogs"].as_array().into_iter().flatten();
    let mut names: Vec<String> = Vec::new();
    for name in [&spec["catalog"]].into_iter().chain(several).filter_map(Value::as_str) {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}

/// The statements of a department that are not final: they are computed from its records.
pub const OPEN_STATEMENTS: Link = Link {
    targets: no_targets,
    readers: |state, record, reader| {
        keys_of(state, reader, &IndexKey::OpenStatement(record.namespace().to_owned()))
    },
};

/// The StorageClasses of a record's Region.
pub const STORAGE_CLASSES_OF_REGION: Link = Link {
    targets: |state, record| {
        named_by_region(state, record, |s| {
            let classes = s.pointer("/tenancy/storageClasses").and_then(Value::as_array);
            let names = classes.into_iter().flatten().filter_map(Value::as_str);
            names.map(|c| Target::named(STORAGE_CLASS, c)).collect::<Vec<_>>()
        })
    },
    readers: |state, class, reader| {
        readers_of_regions(state, &IndexKey::StorageClass(class.name().to_owned()), reader)
    },
};

/// The application that a record is filed on.
pub const APPLICATION_OF_RECORD: Link = Link {
    targets: |state, record| application_targets(state, record, CLOUD_APPLICATION),
    readers: same_application,
};

/// The grant of a record's application, by its name.
pub const GRANT_OF_APPLICATION: Link = Link {
    targets: |state, record| application_targets(state, record, RESOURCE_GRANT),
    readers: same_application,
};

/// The grant of an application, where there is one.
pub const EXISTING_GRANT: Link = Link {
    targets: |state, record| {
        let targets = application_targets(state, record, RESOURCE_GRANT);
        targets.into_iter().filter(|t| state.get(Kind::Grant, &t.namespace, &t.name).is_some()).collect()
    },
    readers: same_application,
};

/// Other records that are filed on the same application.
pub const SAME_APPLICATION: Link = Link { targets: no_targets, readers: same_application };

fn application_targets(
    _: &ClusterState,
    record: &Object,
    resource: govcloud_api::resources::ResourceType,
) -> Vec<Target> {
    applications(record).iter().map(|a| Target::namespaced(resource, record.namespace(), a)).collect()
}

/// Names of the applications in a record's namespace that it is about.
pub fn applications(record: &Object) -> Vec<String> {
    record.kind.filed().map(|filed| (filed.applications)(record)).unwrap_or_default()
}

/// Records on the same application.
fn same_application(state: &ClusterState, record: &Object, reader: Kind) -> Vec<Key> {
    let names = applications(record).into_iter();
    let keys = names.map(|name| IndexKey::Application(record.namespace().to_owned(), name));
    keys.flat_map(|key| keys_of(state, reader, &key)).collect()
}

/// Records on the application of this UID.
fn readers_of_owner(state: &ClusterState, uid: &str, reader: Kind) -> Vec<Key> {
    let applications = state.store(Kind::Application).find(&IndexKey::Uid(uid.to_owned()));
    applications.iter().flat_map(|a| same_application(state, a, reader)).collect()
}

/// Records on the application that a tenant namespace belongs to.
fn readers_of_namespace(state: &ClusterState, namespace: &str, reader: Kind) -> Vec<Key> {
    let owner = state.get(Kind::Namespace, "", namespace).and_then(|n| n.label(keys::APPLICATION_UID));
    owner.map(|uid| readers_of_owner(state, &uid, reader)).unwrap_or_default()
}

/// Objects in the tenant namespaces of a record's application, by their own label or their namespace's.
pub const IN_TENANT_NAMESPACE: Link = Link {
    targets: tenant_namespaces,
    readers: |state, object, reader| {
        let own = object.label(keys::APPLICATION_UID);
        let mut readers = own.map(|uid| readers_of_owner(state, &uid, reader)).unwrap_or_default();
        readers.extend(readers_of_namespace(state, object.namespace(), reader));
        readers
    },
};

/// Claims in a running system's namespace that an application asks to adopt.
pub const CLAIMS_IN_EXISTING: Link = Link {
    targets: no_targets,
    readers: |state, claim, reader| {
        let namespace = state.get(Kind::Namespace, "", claim.namespace());
        let tenant = namespace.is_some_and(|n| n.label(keys::APPLICATION_UID).is_some());
        let wanted = || keys_of(state, reader, &IndexKey::WantsNamespace(claim.namespace().to_owned()));
        if tenant { Vec::new() } else { wanted() }
    },
};

/// The tenant namespaces of a record's application.
pub const TENANT_NAMESPACES: Link = Link {
    targets: tenant_namespaces,
    readers: |state, namespace, reader| {
        let owner = namespace.label(keys::APPLICATION_UID);
        let mut readers = owner.map(|uid| readers_of_owner(state, &uid, reader)).unwrap_or_default();
        if reader == Kind::Grant {
            // One that is to be adopted has no owner yet.
            readers.extend(keys_of(state, reader, &IndexKey::WantsNamespace(namespace.name().to_owned())));
        }
        readers
    },
};

fn tenant_namespaces(state: &ClusterState, record: &Object) -> Vec<Target> {
    let names = applications(record).into_iter();
    let names = names.flat_map(|a| state.tenant_namespaces_of(record.namespace(), &a));
    names.map(|n| Target::named(NAMESPACE, &n)).collect()
}

/// Namespaces under the names that a record's entries need, or with the labels of its application. Of a record that was
/// withdrawn those that do not exist as well: that nothing was made of it is read, and not assumed.
pub const WANTED_NAMESPACES: Link = Link {
    targets: |state, record| {
        let existing = state.existing_namespaces(record);
        let mut targets: Vec<Target> = existing.iter().map(|n| Target::named(NAMESPACE, n.name())).collect();
        if record.meta().withdrawn() {
            let spec = record.spec();
            let wanted = applications(record).into_iter();
            let wanted = wanted.flat_map(|a| super::filed::wanted(record, &a, &spec));
            targets.extend(wanted.map(|n| Target::named(NAMESPACE, &n)));
        }
        targets
    },
    readers: |state, namespace, reader| {
        let mut readers = (TENANT_NAMESPACES.readers)(state, namespace, reader);
        readers.extend(keys_of(state, reader, &IndexKey::WantsNamespace(namespace.name().to_owned())));
        let labels = namespace.labels();
        if let (Kind::Application, Some(department), Some(application)) =
            (reader, labels.get(keys::DEPARTMENT), labels.get(keys::APPLICATION))
        {
            // A label holds a name as far as it fits; the application of a longer one is found by the names it needs.
            readers.extend(state.get(reader, department, application).map(|a| a.key()));
        }
        readers
    },
};

/// Volumes of a record's application: with its label, or bound in its namespaces.
pub const VOLUMES: Link = Link {
    targets: |state, record| {
        let volumes = state.volumes_to_verify(record);
        volumes.iter().map(|v| Target::named(PERSISTENT_VOLUME, v)).collect()
    },
    readers: |state, volume, reader| {
        let value = volume.value();
        let owner = text(&value, &format!("/metadata/labels/{}", keys::APPLICATION_UID.replace('/', "~1")));
        let mut readers = readers_of_owner(state, &owner, reader);
        readers.extend(readers_of_namespace(state, &text(&value, "/spec/claimRef/namespace"), reader));
        readers
    },
};

/// Volumes that archived applications of an exit's name left: found by the labels that say whose data they are.
pub const VOLUMES_OF_NAME: Link = Link {
    targets: |state, exit| {
        state.names_of_earlier(exit).iter().map(|v| Target::named(PERSISTENT_VOLUME, v)).collect()
    },
    readers: |state, volume, reader| {
        super::volume::of_name(volume).map(|key| keys_of(state, reader, &key)).unwrap_or_default()
    },
};

/// Contents that hold bytes of an exit's snapshots.
pub const SNAPSHOT_CONTENTS: Link = Link {
    targets: |state, exit| {
        let contents = state.contents_to_verify(exit);
        contents.iter().map(|c| Target::named(VOLUME_SNAPSHOT_CONTENT, c)).collect()
    },
    readers: |state, content, reader| {
        let namespace = text(&content.value(), "/spec/volumeSnapshotRef/namespace");
        let mut readers = readers_of_namespace(state, &namespace, reader);
        // The namespace may be gone before the content is.
        readers.extend(keys_of(state, reader, &IndexKey::ListsContent(content.name().to_owned())));
        readers
    },
};

/// Volumes that a Region keeps after their applications' end.
pub const RETAINED_VOLUMES: Link = Link {
    targets: no_targets,
    readers: |_, volume, reader| {
        let labels = volume.labels();
        let region = labels.get(keys::REGION).filter(|_| labels.contains_key(keys::RETAINED));
        region.map(|code| Key::new(reader, "", code)).into_iter().collect()
    },
};

/// Code of the Region for which records are filed in a namespace; `None` where it is no filing namespace.
pub(super) fn filing_region(namespace: &Object) -> Option<String> {
    namespace.label(keys::FILING_REGION).filter(|code| !code.is_empty())
}

/// The Region for which records are filed in a namespace.
pub const REGION_OF_FILING_NAMESPACE: Link = Link {
    targets: no_targets,
    readers: |_, namespace, reader| {
        filing_region(namespace).map(|code| Key::new(reader, "", code)).into_iter().collect()
    },
};

/// The Region of the filing namespace that a record stands in.
pub const REGION_WHERE_FILED: Link = Link {
    targets: no_targets,
    readers: |state, record, reader| {
        let namespace = state.get(Kind::Namespace, "", record.namespace());
        let code = namespace.and_then(|n| filing_region(&n));
        code.map(|code| Key::new(reader, "", code)).into_iter().collect()
    },
};

/// The filing namespace that a record stands in.
pub const FILING_NAMESPACE: Link = Link {
    targets: no_targets,
    readers: |state, namespace, reader| {
        state.store(reader).in_namespace(namespace.name()).iter().map(|o| o.key()).collect()
    },
};

/// Exits by whose certificates a Region keeps volumes.
pub const CERTIFICATES: Link = Link {
    targets: no_targets,
    readers: |state, exit, reader| {
        state.region_code(exit).map(|code| Key::new(reader, "", code)).into_iter().collect()
    },
};

/// Maintenance that affects an application, and applications that a maintenance names (Art. 18).
pub const AFFECTED_APPLICATIONS: Link = Link {
    targets: |_, maintenance| {
        let named = maintenance.spec();
        let named = named.pointer("/platformMaintenance/affects/applications").and_then(Value::as_array);
        let target = |a: &Value| {
            Some(Target::namespaced(CLOUD_APPLICATION, a["namespace"].as_str()?, a["name"].as_str()?))
        };
        named.into_iter().flatten().filter_map(target).collect()
    },
    readers: |state, application, reader| {
        let (namespace, name) = (application.namespace().to_owned(), application.name().to_owned());
        keys_of(state, reader, &IndexKey::Maintains(namespace, name))
    },
};

/// Applications in use that a maintenance affects.
pub const MAINTENANCE_OF_APPLICATION: Link =
    Link { targets: no_targets, readers: |state, maintenance, _| state.affected_in_use(maintenance) };

/// Other maintenance of the same Region, whose windows may overlap.
pub const MAINTENANCE_OF_REGION: Link = Link {
    targets: no_targets,
    readers: |state, maintenance, reader| {
        let region = state.region_code(maintenance);
        region.map(|code| keys_of(state, reader, &IndexKey::Maintenance(code))).unwrap_or_default()
    },
};

/// The change that a grant carries out.
pub const APPROVED_CHANGE: Link = Link {
    targets: |_, grant| {
        let spec = grant.spec();
        let change =
            spec["approved"]["name"].as_str().filter(|_| spec["approved"]["kind"] == "ChangeRequest");
        let target = |name| Target::namespaced(CHANGE_REQUEST, grant.namespace(), name);
        change.map(target).into_iter().collect()
    },
    readers: same_application,
};

/// The emergency plan that maintenance or a drill names (Art. 17, 18).
pub const EMERGENCY_PLAN: Link = Link {
    targets: |_, record| {
        let named = super::compliance::plan_name(record);
        named.iter().map(|n| Target::namespaced(COMPLIANCE_RECORD, record.namespace(), n)).collect()
    },
    readers: |state, plan, reader| {
        keys_of(state, reader, &IndexKey::ReliesOn(plan.namespace().to_owned(), plan.name().to_owned()))
    },
};

/// Compliance records about the same platform or application.
pub const SAME_SUBJECT: Link = Link {
    targets: no_targets,
    readers: |state, record, reader| {
        super::compliance::subject(record).map(|key| keys_of(state, reader, &key)).unwrap_or_default()
    },
};

/// Compliance records about the platform of a Region.
pub const PLATFORM: Link = Link {
    targets: no_targets,
    readers: |state, record, reader| {
        let of_platform = applications(record).is_empty().then(|| state.region_code(record)).flatten();
        of_platform.map(|code| Key::new(reader, "", code)).into_iter().collect()
    },
};
