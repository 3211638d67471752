//! Findings on an inventory, or on the disposition of its volumes.

use crate::bilingual::{Bilingual, bilingual, bilingual_errors};
use crate::reason::Reason;

/// A fault of an inventory or of the disposition for it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum VolumeFinding {
    /// The department decided about a claim that does not exist.
    UnknownVolume {
        /// Namespace as written.
        namespace: String,
        /// Claim as written.
        claim: String,
    },
    /// The department decided twice, and not the same.
    Contradiction {
        /// Tenant namespace.
        namespace: String,
        /// Claim.
        claim: String,
    },
    /// Two volumes are the same bytes: who destroys one destroys the other.
    SharedSource {
        /// Volume of the application.
        volume: String,
        /// The other volume, of the application or not.
        other: String,
    },
    /// A claim names a volume that serves another claim.
    NotItsVolume {
        /// Tenant namespace.
        namespace: String,
        /// Claim.
        claim: String,
        /// Volume.
        volume: String,
    },
    /// A claim names a volume that is not there.
    LostVolume {
        /// Tenant namespace.
        namespace: String,
        /// Claim.
        claim: String,
        /// Volume.
        volume: String,
    },
    /// A snapshot goes with its namespace, and the department did not say that it may.
    SnapshotNotKept {
        /// Tenant namespace.
        namespace: String,
        /// Snapshot.
        name: String,
    },
    /// The content of a snapshot outlives it, though the department had it destroyed.
    ContentKept {
        /// Tenant namespace.
        namespace: String,
        /// Snapshot.
        name: String,
        /// VolumeSnapshotContent.
        content: String,
    },
    /// Volumes of an adopted system are retained, for the disposition's default does not destroy them.
    AdoptedKept {
        /// Tenant namespace.
        namespace: String,
    },
    /// Several volumes go by one claim's name; one decision covers them all.
    SeveralVolumes {
        /// Tenant namespace.
        namespace: String,
        /// Claim.
        claim: String,
    },
}

impl VolumeFinding {
    /// Wording: the defect and the allowed values.
    #[must_use]
    pub fn text(&self) -> Bilingual {
        match self {
            Self::UnknownVolume { namespace, claim } => bilingual!(
                "处置方式中的数据卷 {namespace}/{claim} 不存在：只能填写清单中的卷",
                "the disposition names {namespace}/{claim}, which does not exist: volumes of the inventory are allowed"
            ),
            Self::Contradiction { namespace, claim } => bilingual!(
                "数据卷 {namespace}/{claim} 的处置方式相互矛盾：每个卷只允许一种",
                "the disposition says two things of {namespace}/{claim}: one action is allowed"
            ),
            Self::SharedSource { volume, other } => bilingual!(
                "持久卷 {volume} 与 {other} 指向同一存储，暂停销毁",
                "the volumes {volume} and {other} share one source; destruction is stalled"
            ),
            Self::NotItsVolume { namespace, claim, volume } => bilingual!(
                "持久卷申领（PVC）{namespace}/{claim} 所指的持久卷 {volume} 属于其他持久卷申领（PVC），暂停销毁",
                "{namespace}/{claim} names the volume {volume}, which is another claim's; destruction is stalled"
            ),
            Self::LostVolume { namespace, claim, volume } => bilingual!(
                "持久卷申领（PVC）{namespace}/{claim} 所指的持久卷 {volume} 不存在",
                "{namespace}/{claim} names the volume {volume}, which does not exist"
            ),
            Self::SnapshotNotKept { namespace, name } => bilingual!(
                "快照 {namespace}/{name} 随命名空间一并清除，不能保留；请先删除该快照，或对其来源数据卷选择 Destroy 或 HandOver",
                "the snapshot {namespace}/{name} goes with its namespace and cannot be retained; delete it first, or say Destroy or HandOver of the claim it was taken of"
            ),
            Self::ContentKept { namespace, name, content } => bilingual!(
                "快照 {namespace}/{name} 的内容 {content} 的 deletionPolicy 为 Retain，不随快照删除；销毁前须由政务云服务提供方改为 Delete，或另行删除",
                "the content {content} of the snapshot {namespace}/{name} has deletionPolicy Retain and outlives it; the provider sets Delete, or deletes it, before the exit can end"
            ),
            Self::AdoptedKept { namespace } => bilingual!(
                "命名空间 {namespace} 是纳管的，其数据卷不按 default: Destroy 销毁，一律保留；确需销毁的，请在 disposition.volumes 中逐个写明",
                "namespace {namespace} was adopted: default: Destroy does not reach its volumes, which are retained. Name each volume that is to be destroyed in disposition.volumes"
            ),
            Self::SeveralVolumes { namespace, claim } => bilingual!(
                "名为 {namespace}/{claim} 的持久卷申领（PVC）先后对应多个数据卷，处置方式对全部生效",
                "several volumes have served a claim named {namespace}/{claim}; one action covers them all"
            ),
        }
    }
}

bilingual_errors!(VolumeFinding);

impl VolumeFinding {
    /// Reason of the condition that reports it.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            Self::UnknownVolume { .. } => Reason::UnknownVolume,
            Self::Contradiction { .. } => Reason::DispositionContradicts,
            Self::SharedSource { .. } => Reason::SharedSource,
            Self::NotItsVolume { .. } => Reason::NotItsVolume,
            Self::LostVolume { .. } => Reason::LostVolume,
            Self::SnapshotNotKept { .. } => Reason::SnapshotNotKept,
            Self::ContentKept { .. } => Reason::ContentKept,
            Self::AdoptedKept { .. } => Reason::AdoptedKept,
            Self::SeveralVolumes { .. } => Reason::SeveralVolumes,
        }
    }

    /// Returns true if nothing may be destroyed while it stands (S2).
    pub fn stalls_destruction(&self) -> bool {
        match self {
            Self::UnknownVolume { .. }
            | Self::Contradiction { .. }
            | Self::SharedSource { .. }
            | Self::SnapshotNotKept { .. }
            | Self::NotItsVolume { .. } => true,
            Self::LostVolume { .. }
            | Self::ContentKept { .. }
            | Self::AdoptedKept { .. }
            | Self::SeveralVolumes { .. } => false,
        }
    }
}
