//! Size of the record with its certificate: nothing is destroyed that could not be certified.

use super::Evaluation;
use crate::bilingual::bilingual;
use crate::reason::Reason;
use crate::record::ReadyState;
use govcloud_api::deadline::Party;
use govcloud_api::record::WaitingFor;
use serde::Serialize;

/// Most bytes of JSON of an exit's spec and its status with the certificate. etcd refuses a request of more than 1.5 MiB; the
/// rest of the object is metadata, and what the timeline still takes in.
pub const RECORD_BYTES: usize = 1_200_000;

fn bytes(part: &impl Serialize) -> usize {
    serde_json::to_vec(part).map_or(usize::MAX / 4, |json| json.len())
}

impl Evaluation<'_> {
    /// Stops before reclaiming where the record would be too large for its certificate. It can be withdrawn, and leave in parts.
    pub(super) fn stop_if_too_large(&mut self) -> bool {
        let certificate = self.certificate();
        let size = bytes(&self.seen.record.spec)
            + bytes(&self.status)
            + bytes(&self.builder.status)
            + bytes(&certificate);
        if size <= RECORD_BYTES {
            return false;
        }
        let limit = RECORD_BYTES;
        let text = bilingual!(
            "退出记录连同退出证明将有 {size} 字节，上限 {limit} 字节，不能开始收回；请撤回，减少一次退出的数据卷或缩短回执地址后重新申请",
            "the record with its certificate would have {size} bytes, above {limit}, so reclaiming does not begin; withdraw it, and file anew with fewer volumes at once or shorter addresses of receipts"
        );
        self.builder.wait_on(Party::Department, Some(WaitingFor::Correction), None);
        self.builder.set_ready_conditions(&ReadyState::Stalled(Reason::RecordTooLarge, text));
        true
    }
}
