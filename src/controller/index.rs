//! Keys by which objects are found without a look at all others.

/// An index key. Which kinds carry it is stated by their files in [`crate::kinds`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IndexKey {
    /// A record by its UID.
    Uid(String),
    /// Filed records that the operator owes an answer: a start decides on them first.
    Unanswered,
    /// Records of a Region, and the Region itself.
    Region(String),
    /// Records of one application: itself, its grant, and the changes and exits filed on it.
    Application(String, String),
    /// Regions that refer to a WorkCalendar.
    Calendar(String),
    /// Regions that refer to a ServiceCatalog.
    Catalog(String),
    /// Regions that allow a StorageClass.
    StorageClass(String),
    /// City Regions of a province.
    Parent(String),
    /// Applications and changes that need a Namespace of this name.
    WantsNamespace(String),
    /// Namespaces whose labels name an application, by the label values of its namespace and name.
    TenantOf(String, String),
    /// Namespaces whose label says that records of a Region are filed there.
    FilesFor(String),
    /// Exits whose inventory lists a VolumeSnapshotContent of this name.
    ListsContent(String),
    /// Objects with the operator's label of an application's UID.
    Owner(String),
    /// PersistentVolumes whose claim is, or was, in a Namespace.
    ClaimNamespace(String),
    /// VolumeSnapshotContents whose snapshot is, or was, in a Namespace.
    SnapshotNamespace(String),
    /// PersistentVolumes of an application's name and the exits filed on it, by the label values of filing namespace and name.
    OfName(String, String),
    /// PersistentVolumes that may share their bytes, by a word of their source.
    VolumeSource(String),
    /// Retained PersistentVolumes of a Region.
    RetainedIn(String),
    /// Exits whose certificate says that the volume of this UID was retained.
    Retains(String),
    /// Platform maintenance of a Region that is not over.
    Maintenance(String),
    /// Maintenance that affects every application of a Region, and is not over.
    MaintainsAll(String),
    /// Maintenance that names an application, and is not over.
    Maintains(String, String),
    /// Statements of a filing namespace that are not final.
    OpenStatement(String),
    /// Complete statements that were computed by an edition of the service catalogue.
    Bills(String),
    /// Compliance records about the platform of a Region.
    Platform(String),
    /// Maintenance and drills that name an emergency plan, by its namespace and name.
    ReliesOn(String, String),
}
