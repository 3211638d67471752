//! What is wrong with an inventory, or with what was decided for it.

/// What is wrong with an inventory or the decision for it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum VolumeFinding {
    /// The department decided about a claim that does not exist.
    #[error(
        "处置意见中的存储卷 {namespace}/{claim} 不存在:只能填写清单中的卷 / \
         the disposition names {namespace}/{claim}, which does not exist: volumes of the inventory are allowed"
    )]
    UnknownVolume {
        /// Namespace as written.
        namespace: String,
        /// Claim as written.
        claim: String,
    },
    /// The department decided twice, and not the same.
    #[error(
        "存储卷 {namespace}/{claim} 的处置意见相互矛盾:每个卷只允许一种 / \
         the disposition says two things of {namespace}/{claim}: one action is allowed"
    )]
    Contradiction {
        /// Tenant namespace.
        namespace: String,
        /// Claim.
        claim: String,
    },
    /// Two volumes are the same bytes: who destroys one destroys the other.
    #[error(
        "持久卷 {volume} 与 {other} 指向同一存储,销毁已暂停 / \
         the volumes {volume} and {other} share one source; destruction is stalled"
    )]
    SharedSource {
        /// Volume of the application.
        volume: String,
        /// The other volume, of the application or not.
        other: String,
    },
    /// A claim names a volume that serves another claim.
    #[error(
        "存储卷申领 {namespace}/{claim} 所指的持久卷 {volume} 属于其他申领,销毁已暂停 / \
         {namespace}/{claim} names the volume {volume}, which is another claim's; destruction is stalled"
    )]
    NotItsVolume {
        /// Tenant namespace.
        namespace: String,
        /// Claim.
        claim: String,
        /// Volume.
        volume: String,
    },
    /// A claim names a volume that is not there.
    #[error(
        "存储卷申领 {namespace}/{claim} 所指的持久卷 {volume} 不存在 / \
         {namespace}/{claim} names the volume {volume}, which does not exist"
    )]
    LostVolume {
        /// Tenant namespace.
        namespace: String,
        /// Claim.
        claim: String,
        /// Volume.
        volume: String,
    },
    /// A snapshot goes with its namespace, and the department did not say that it may.
    #[error(
        "快照 {namespace}/{name} 随命名空间一并清除,不能保留;请先删除该快照,或对其来源存储卷选择 Destroy 或 HandOver / \
         the snapshot {namespace}/{name} goes with its namespace and cannot be retained; delete it first, or say Destroy \
         or HandOver of the claim it was taken of"
    )]
    SnapshotNotKept {
        /// Tenant namespace.
        namespace: String,
        /// Snapshot.
        name: String,
    },
    /// Several volumes go by one claim's name; one decision covers them all.
    #[error(
        "名为 {namespace}/{claim} 的申领先后对应多个持久卷,处置意见对全部生效 / \
         several volumes have served a claim named {namespace}/{claim}; one action covers them all"
    )]
    SeveralVolumes {
        /// Tenant namespace.
        namespace: String,
        /// Claim.
        claim: String,
    },
}

impl VolumeFinding {
    /// The reason, one CamelCase word, as conditions carry it.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::UnknownVolume { .. } => "UnknownVolume",
            Self::Contradiction { .. } => "DispositionContradicts",
            Self::SharedSource { .. } => "SharedSource",
            Self::NotItsVolume { .. } => "NotItsVolume",
            Self::LostVolume { .. } => "LostVolume",
            Self::SnapshotNotKept { .. } => "SnapshotNotKept",
            Self::SeveralVolumes { .. } => "SeveralVolumes",
        }
    }

    /// Whether nothing may be destroyed while it stands.
    pub fn stalls_destruction(&self) -> bool {
        match self {
            Self::UnknownVolume { .. }
            | Self::Contradiction { .. }
            | Self::SharedSource { .. }
            | Self::SnapshotNotKept { .. }
            | Self::NotItsVolume { .. } => true,
            Self::LostVolume { .. } | Self::SeveralVolumes { .. } => false,
        }
    }
}
