//! Reasons of conditions: one CamelCase word each, explained under its heading in `docs/troubleshooting.md`.

use govcloud_api::deadline::Obligation;
use strum::{AsRefStr, Display, EnumIter, EnumString, IntoStaticStr};

/// Reason of a condition, serialised as the variant's name.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, AsRefStr, Display, EnumIter, EnumString, IntoStaticStr,
)]
pub enum Reason {
    /// Stored object that does not fit the schema.
    Malformed,
    /// Operator's clock that differs from the API server's.
    ClockSkewed,
    /// Region that does not exist.
    UnknownRegion,
    /// City without its Province.
    ParentMissing,
    /// WorkCalendar that is missing or invalid.
    CalendarUnusable,
    /// ServiceCatalog that does not exist.
    CatalogMissing,
    /// Platform below protection level 3 (Art. 20).
    PlatformBelowLevel,
    /// StorageClass that does not exist.
    StorageClassMissing,
    /// StorageClass that deletes volumes (Art. 23, S5).
    StorageClassNotRetain,
    /// System above the platform's protection level (Art. 20).
    ProtectionLevelTooHigh,
    /// Document dated in the future.
    DocumentInFuture,
    /// Quota above the Region's maximum.
    QuotaAboveMaximum,
    /// Quantity that cannot be parsed.
    BadQuantity,
    /// Quota that the API server would refuse, or that could not be carried out.
    BadQuota,
    /// Region's limits for containers that contradict each other.
    BadLimits,
    /// Region's network settings that cannot be read.
    BadNetwork,
    /// Quota that the API server does not enforce yet, or key that Kubernetes does not count.
    QuotaNotCounted,
    /// Quota of which Kubernetes counts every key.
    QuotaCounted,
    /// Access for a subject that may get none.
    AccessRefused,
    /// Namespace name that is reserved.
    NamespaceReserved,
    /// Namespace that belongs to somebody else.
    NamespaceTaken,
    /// Namespace that is being deleted.
    NamespaceTerminating,
    /// Namespace of an earlier record without an entry in this one.
    NamespaceLeftOut,
    /// Existing namespace to be adopted that does not exist (Art. 3).
    ExistingMissing,
    /// Existing namespace to be adopted that has another UID (Art. 3).
    ExistingReplaced,
    /// Existing namespace to be adopted that something else owns (Art. 3).
    ForeignOwner,
    /// Existing namespace to be adopted that its holder did not give away (Art. 3).
    NotReleased,
    /// Tenant namespace that disappeared (S3).
    NamespaceLost,
    /// Quota below current use (Art. 15).
    BelowUse,
    /// Go-live before the resources were provisioned (Art. 14).
    GoLiveBeforeProvisioning,
    /// Go-live time in the future (Art. 14).
    GoLiveInFuture,
    /// CloudApplication that does not exist.
    ApplicationMissing,
    /// Region that is not the application's.
    RegionMismatch,
    /// Application that is not provisioned or live.
    ApplicationNotActive,
    /// Application that is exiting while a change is carried out.
    ApplicationExiting,
    /// Another open request on the same application.
    AnotherOpen,
    /// Change without effect.
    NothingChanges,
    /// More namespaces than an application may have.
    TooManyNamespaces,
    /// StorageClass that the Region does not offer.
    StorageClassNotOffered,
    /// Maintenance window inside the notice period (Art. 18).
    WindowTooNear,
    /// Affected application that does not exist.
    AffectedMissing,
    /// Consent to another inventory than the published one (Art. 23).
    ConsentStale,
    /// Exit of volumes without any volume.
    NoVolumes,
    /// Inventory above its maximum length.
    InventoryTooLong,
    /// Content of a snapshot that outlives it, though it is to be destroyed (Art. 23).
    ContentKept,
    /// Volumes or snapshots of which the department must know before it consents (Art. 23).
    InventoryWarning,
    /// Inventory that changed after the approval (Art. 23).
    InventoryChanged,
    /// Record that would be too large with its certificate.
    RecordTooLarge,
    /// Disposition of a claim that does not exist.
    UnknownVolume,
    /// Two dispositions of one claim.
    DispositionContradicts,
    /// Volumes with the same source.
    SharedSource,
    /// Claim bound to another claim's volume.
    NotItsVolume,
    /// Claim whose volume does not exist.
    LostVolume,
    /// Snapshot that cannot be retained.
    SnapshotNotKept,
    /// Volumes of an adopted system that are retained though the disposition's default is to destroy (Art. 23).
    AdoptedKept,
    /// Claim name that several volumes share.
    SeveralVolumes,
    /// Record without findings (Art. 12).
    Valid,
    /// Region that accepts applications.
    Ready,
    /// Nothing to report for the condition.
    None,
    /// Record that waits for the authority's decision (Art. 12).
    AwaitingDecision,
    /// Record that waits for an approval with named namespaces.
    AwaitingReattach,
    /// Record that was returned for correction (Art. 12).
    Returned,
    /// Record that was rejected (Art. 12).
    Rejected,
    /// Record that was withdrawn.
    Withdrawn,
    /// Decision that is invalid.
    DecisionVoid,
    /// Spec that changed after its approval (S7).
    SpecAltered,
    /// Admission policies that are missing or altered.
    PolicyIntegrityViolated,
    /// Write that the API server refused.
    WriteRefused,
    /// Write that something else alters.
    WriteAltered,
    /// Read that the API server refused.
    ReadRefused,
    /// Approval that waits for the provider's grant (Art. 13).
    AwaitingGrant,
    /// Grant that belongs to another application.
    GrantOfAnother,
    /// Grant that is stalled.
    GrantStalled,
    /// Grant that does not exist while an exit is reclaimed.
    GrantMissing,
    /// Grant that waits for its approval.
    AwaitingApproval,
    /// Grant that differs from its approval (Art. 13).
    Refused,
    /// Grant that is in force.
    Active,
    /// Grant of an application that exited.
    Released,
    /// Resources that are being provisioned (Art. 13).
    Provisioning,
    /// Objects that are being written.
    Applying,
    /// Application with its resources, before go-live (Art. 14).
    Provisioned,
    /// Application in operation.
    Live,
    /// Application with an exit under way (Art. 16).
    Exiting,
    /// Application that exited (Art. 16).
    Exited,
    /// Maintenance that waits for its window (Art. 18).
    Scheduled,
    /// Maintenance inside its window (Art. 18).
    InProgress,
    /// Maintenance windows that overlap.
    WindowsOverlap,
    /// Change or exit that was carried out.
    Completed,
    /// Inventory that waits for the department's consent (Art. 23).
    AwaitingConsent,
    /// Volumes that wait for the department's receipts (Art. 28).
    HandingOver,
    /// Namespaces that are being taken out of use.
    WindingDown,
    /// Resources that are being reclaimed (Art. 16).
    Reclaiming,
    /// Reclaim that is held up.
    ReclaimStuck,
    /// Volume or snapshot outside of the consented inventory (S2).
    VolumeAppeared,
    /// Record with no overdue deadline.
    OnTime,
    /// Review that is overdue.
    ReviewOverdue,
    /// Provisioning that is overdue (Art. 13).
    ProvisionOverdue,
    /// Go-live that is overdue (Art. 14).
    GoLiveOverdue,
    /// Go-live report that is overdue (Art. 14).
    GoLiveReportOverdue,
    /// Change that is overdue (Art. 15).
    ChangeOverdue,
    /// Reclaim that is overdue (Art. 16).
    ReclaimOverdue,
    /// Migration that is overdue (Art. 28).
    MigrationOverdue,
    /// Maintenance report that is overdue (Art. 18).
    MaintenanceReportOverdue,
    /// Confirmation of a statement that is overdue (Art. 26).
    ConfirmOverdue,
    /// Settlement that is overdue (Art. 26).
    SettleOverdue,
    /// Service catalogue that cannot be billed by (Art. 26).
    CatalogUnusable,
    /// Items of the catalogue that charge one amount twice (Art. 26).
    ItemsOverlap,
    /// Priced quota key that the Region does not bound (Art. 26).
    PricedKeyUnbounded,
    /// Region that makes no statements.
    SettlementOff,
    /// Month before that is not settled yet.
    MonthBeforeOpen,
    /// Statement whose records lack facts.
    Incomplete,
    /// Statement whose records have every fact.
    Complete,
    /// Statement with more lines than one can have.
    StatementTooLong,
    /// Statement that waits for the department (Art. 26).
    AwaitingConfirmation,
    /// Confirmation of another digest.
    OtherDigest,
    /// Statement that the provider objects to.
    Objected,
    /// Statement that is settled (Art. 26).
    Settled,
    /// Fees above the budget ceiling of the year (Art. 7).
    BudgetExceeded,
    /// Fees within the budget ceiling of the year (Art. 7).
    WithinBudget,
    /// Operation report that is overdue (Art. 17).
    OperationReportOverdue,
    /// Emergency plan that is overdue (Art. 17).
    EmergencyPlanOverdue,
    /// Drill that is overdue (Art. 17, 19).
    DrillOverdue,
    /// MLPS filing that is overdue (Art. 21, 22).
    MlpsFilingOverdue,
    /// MLPS evaluation that is overdue (Art. 21, 22).
    MlpsEvaluationOverdue,
    /// Cryptography assessment that is overdue (Art. 24).
    CryptoAssessmentOverdue,
    /// Product list that is overdue (Art. 24).
    ProductListOverdue,
    /// Rectification of a finding that is overdue (Art. 25).
    RectificationOverdue,
    /// Emergency plan that maintenance or a drill names and that does not exist, is of another type, or is not in force.
    EmergencyPlanUnusable,
    /// Compliance record that counts.
    Recorded,
    /// Compliance record that is valid and the latest of its kind.
    Current,
    /// Compliance record past its last day.
    Expired,
    /// Compliance record that a newer one replaced.
    Superseded,
    /// Compliance record that does not count.
    NotRecorded,
    /// Findings that wait for the inspected party's answers (Art. 25).
    Rectifying,
    /// Inspection that the authority closed (Art. 25).
    Closed,
    /// Assessment whose period is not over (Art. 27, 29).
    PeriodRunning,
    /// Assessment whose facts are being taken (Art. 27, 29).
    FactsPending,
    /// Region without a scheme for this assessment (Art. 27, 29).
    SchemeMissing,
    /// Criteria without a score (Art. 27, 29).
    ScoresMissing,
    /// Score for a criterion that the Region's scheme does not have (Art. 27, 29).
    UnknownCriterion,
    /// Period in which the assessed party may object (Art. 27, 29).
    ObjectionPeriod,
    /// Objection without an answer (Art. 27, 29).
    ObjectionUnanswered,
    /// Assessment that was published (通报; Art. 29).
    Published,
    /// Use that was asked for, of an operator without a Prometheus (Art. 29).
    UseNotConfigured,
    /// Use of more namespaces than one assessment can hold (Art. 29).
    UseTooLong,
    /// Prometheus that cannot be read (Art. 29).
    UseUnavailable,
    /// Use that was measured on enough days (Art. 29).
    UseMeasured,
    /// Use that was measured on too few days (Art. 29).
    InsufficientData,
    /// Sensor that read 0 in every namespace (Art. 29).
    SensorSuspect,
}

impl Reason {
    /// Reason of `OnTime=False` for an obligation.
    #[must_use]
    pub fn overdue(obligation: Obligation) -> Self {
        match obligation {
            Obligation::Review => Self::ReviewOverdue,
            Obligation::Provision => Self::ProvisionOverdue,
            Obligation::GoLive => Self::GoLiveOverdue,
            Obligation::GoLiveReport => Self::GoLiveReportOverdue,
            Obligation::Change => Self::ChangeOverdue,
            Obligation::Reclaim => Self::ReclaimOverdue,
            Obligation::Migration => Self::MigrationOverdue,
            Obligation::MaintenanceReport => Self::MaintenanceReportOverdue,
            Obligation::Confirm => Self::ConfirmOverdue,
            Obligation::Settle => Self::SettleOverdue,
            Obligation::OperationReport => Self::OperationReportOverdue,
            Obligation::EmergencyPlan => Self::EmergencyPlanOverdue,
            Obligation::Drill => Self::DrillOverdue,
            Obligation::MlpsFiling => Self::MlpsFilingOverdue,
            Obligation::MlpsEvaluation => Self::MlpsEvaluationOverdue,
            Obligation::CryptoAssessment => Self::CryptoAssessmentOverdue,
            Obligation::ProductList => Self::ProductListOverdue,
            Obligation::Rectification => Self::RectificationOverdue,
            Obligation::ProviderObjection | Obligation::DepartmentObjection => Self::ObjectionPeriod,
        }
    }
}
