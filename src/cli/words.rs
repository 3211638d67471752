//! Every sentence that the plugin says, in Chinese and English; names of states and acts are in [`terms`].

use std::fmt::Display;

use super::output::Lang;

pub(super) mod terms;

macro_rules! wording {
    ($($name:ident($($arg:ident),*) { $zh:literal $en:literal })*) => { $(
        pub(super) fn $name(lang: Lang $(, $arg: impl Display)*) -> String {
            lang.pick(format_args!($zh), format_args!($en)).to_string()
        }
    )* };
}

// What was asked is wrong.
wording! {
    bad_target(given) {
        "“{given}”不是 KIND/NAME;KIND 为 capp、chreq、decom 或 grant,如 capp/travel"
        "\"{given}\" is not KIND/NAME; KIND is capp, chreq, decom or grant, such as capp/travel"
    }
    not_decided(kind) {
        "{kind} 不经主管部门审核;可审核的为 capp、chreq、decom"
        "a {kind} is not decided by the authority; capp, chreq and decom are"
    }
    opinion_required(verb) {
        "{verb} 须说明理由(第十二条):--opinion '…'"
        "{verb} needs the reason (Art. 12): --opinion '…'"
    }
    bad_sha256(given) {
        "“{given}”不是 SHA-256:须为 64 位小写十六进制(sha256sum FILE)"
        "\"{given}\" is not a SHA-256: 64 lowercase hexadecimal digits (sha256sum FILE)"
    }
    bad_uid(given) { "“{given}”不是 UID" "\"{given}\" is not a UID" }
    unreadable(file, why) { "无法读取 {file}:{why}" "cannot read {file}: {why}" }
    needs_yes() {
        "输入不是终端,无从确认;核对以上内容后加 --yes"
        "there is no terminal to confirm on; look at the above, then add --yes"
    }
    namespace_or_all() { "-n 与 -A 不能同用" "give either -n or -A" }
}

// Reaching the cluster.
wording! {
    unreachable(why) { "无法访问集群:{why}" "the cluster cannot be reached: {why}" }
    bad_kubeconfig(why) { "kubeconfig 不可用:{why}" "the kubeconfig cannot be used: {why}" }
    no_such(what, namespace) { "命名空间 {namespace} 中没有 {what}" "there is no {what} in namespace {namespace}" }
    not_installed() {
        "该集群没有 govcloud.dev 的资源类型;请平台管理员先安装"
        "this cluster does not know govcloud.dev; its administrator must install it first"
    }
    malformed(what, why) {
        "{what} 不符合现行格式:{why}"
        "{what} does not fit the schema: {why}"
    }
    may_not(verb, resource, namespace) {
        "你无权在命名空间 {namespace} 对 {resource} 执行 {verb}"
        "you may not {verb} {resource} in namespace {namespace}"
    }
    may_not_all(verb, resource) {
        "你无权在全部命名空间对 {resource} 执行 {verb}"
        "you may not {verb} {resource} in all namespaces"
    }
    may_not_here(verb, resource) { "你无权对 {resource} 执行 {verb}" "you may not {verb} {resource}" }
    ask_for_auditor() {
        "请管理员绑定角色 govcloud:auditor(docs/roles.md)"
        "an administrator binds role govcloud:auditor (docs/roles.md)"
    }
    ask_for_role() {
        "请管理员在该命名空间绑定相应角色(docs/roles.md)"
        "an administrator binds the role that gives it in that namespace (docs/roles.md)"
    }
    try_namespace() { "用 -n 指明一个你有权查看的命名空间" "name a namespace that you may read with -n" }
    failed(why) { "API 服务器未能办理:{why}" "the API server could not do it: {why}" }
}

// Deciding.
wording! {
    deciding(verdict, record) { "将对 {record} 作出审核意见:{verdict}" "About to decide on {record}: {verdict}" }
    final_note(verdict) { "“{verdict}”作出后不能更改。" "\"{verdict}\" is final." }
    confirm() { "确认?[y/N] " "Go ahead? [y/N] " }
    confirm_by_name(name) { "数据将被销毁。输入 {name} 以确认:" "Data will be destroyed. Type {name} to go ahead: " }
    not_confirmed() { "未确认,没有改动任何内容" "not confirmed; nothing was changed" }
    decided(record, generation, verdict, by) {
        "{record} 第 {generation} 版:{verdict}({by})"
        "{record} generation {generation}: {verdict} by {by}"
    }
    changed_since(what) {
        "所示内容已变({what}),未作任何改动;请重新查看后再办"
        "it changed since it was shown ({what}); nothing was done. Look at it again, then decide"
    }
    other_generation(asked, now) {
        "所审为第 {asked} 版,现为第 {now} 版,未作任何改动;请重新查看后再办"
        "you reviewed generation {asked}, it is at {now}; nothing was done. Look at it again, then decide"
    }
    refused(why) { "被拒绝:{why}" "refused: {why}" }
    next(what) { "下一步:{what}" "next: {what}" }
    next_authority(region, authority) {
        "由区域 {region} 的主管部门({authority})审核"
        "the authority of region {region} ({authority}) decides"
    }
    next_wildcard(region) {
        "通配权限不算审核权;请用按名持有 regions.govcloud.dev/{region} approve 权限的身份"
        "wildcard rights do not count; use an identity that holds approve on regions.govcloud.dev/{region} by name"
    }
    next_other_person() { "请本部门另一位审核人办理" "another holder of approve must decide" }
    next_clear_void(record, namespace) {
        "先清除无效意见:kubectl govcloud clear-void {record} -n {namespace}"
        "first remove the void decision: kubectl govcloud clear-void {record} -n {namespace}"
    }
    next_decided(record, namespace) {
        "已有审核意见:kubectl govcloud show {record} -n {namespace}"
        "it is decided already: kubectl govcloud show {record} -n {namespace}"
    }
    next_wait_correction() { "待使用部门补正后再审" "wait until the department has corrected it" }
    next_return(record, namespace) {
        "内容未核验通过;可退回:kubectl govcloud return {record} -n {namespace} --opinion '…'"
        "it is not in order; return it: kubectl govcloud return {record} -n {namespace} --opinion '…'"
    }
    next_wait_operator() {
        "operator 尚未核验该版内容,稍候再办;若久无结果,请查看 operator"
        "the operator has not checked this generation yet; try again in a moment, and look at the operator if it stays so"
    }
    next_consent(name, namespace) {
        "须先由使用部门授权:kubectl govcloud consent {name} -n {namespace}"
        "the department must consent first: kubectl govcloud consent {name} -n {namespace}"
    }
    next_show(record, namespace) {
        "查看现状:kubectl govcloud show {record} -n {namespace}"
        "see how it stands: kubectl govcloud show {record} -n {namespace}"
    }
    not_void(record) { "{record} 没有被标为无效的审核意见" "{record} has no decision that was marked void" }
    clearing(record, why) { "将清除 {record} 的无效审核意见({why})" "About to remove the void decision from {record} ({why})" }
    cleared(record) { "{record} 的无效审核意见已清除,可重新审核" "the void decision was removed from {record}; it can be decided anew" }
}

// The department's own acts.
wording! {
    withdrawing(record) { "将撤回 {record};撤回后不能恢复" "About to withdraw {record}; this cannot be undone" }
    withdrawn(record) { "{record} 已撤回" "{record} is withdrawn" }
    no_inventory(name) { "{name} 的数据清单尚未公布" "the inventory of {name} is not published yet" }
    consenting(name, digest) {
        "将授权按以上清单处置 {name} 的数据(第二十三条)\n清单摘要 {digest}"
        "About to consent to what becomes of the data of {name}, exactly as listed (Art. 23)\ninventory {digest}"
    }
    consented_already(name) { "{name} 的现清单已获授权" "{name}: this very inventory is consented to already" }
    consented(name, digest, by) { "{name}:{by} 已授权 {digest}" "{name}: {by} consented to {digest}" }
    no_such_volume(uid, listed) {
        "清单中没有待移交的数据卷 {uid};待移交的有:{listed}"
        "the inventory has no volume {uid} to hand over; to be handed over are: {listed}"
    }
    receipt_exists(uid) { "数据卷 {uid} 已有回执,回执不能更改" "there is a receipt for {uid} already, and receipts do not change" }
    receiving(name, claim, by, sha256) {
        "将为 {name} 签收数据卷 {claim}(接收人 {by},回执 sha256 {sha256});签收后该卷将被销毁"
        "About to give {name} the receipt for {claim} (received by {by}, receipt sha256 {sha256}); the volume is destroyed after it"
    }
    received(name, claim) { "{name}:已签收 {claim}" "{name}: {claim} is received" }
}

// Queue, show, verify, certificate, grant.
wording! {
    nothing_waits(who, scope) { "{scope}没有待办事项({who})" "nothing waits on {who} {scope}" }
    in_namespace(namespace) { "命名空间 {namespace} 中" "in namespace {namespace}" }
    in_all() { "全部命名空间中" "in any namespace" }
    no_party() {
        "你在这里不是使用部门、主管部门或服务提供方(通配权限不算);--party all 列出全部"
        "you are neither department, authority nor provider here (wildcard rights do not count); --party all lists everything"
    }
    anybody() { "任何一方" "anybody" }
    left(days) { "剩 {days} 个工作日" "{days} working days left" }
    left_one() { "剩 1 个工作日" "1 working day left" }
    late(days) { "逾期 {days} 个工作日" "{days} working days late" }
    late_one() { "逾期 1 个工作日" "1 working day late" }
    late_today() { "刚逾期" "late since today" }
    provisional() { "暂定" "provisional" }
    waits(party, act) { "等待{party}:{act}" "waiting for the {party}: {act}" }
    waits_for_nobody() { "不等待任何一方" "waiting for nobody" }
    until(date) { "期限 {date} 24:00" "due {date} 24:00" }
    not_looked_at() { "operator 尚未受理" "the operator has not looked at it yet" }
    dropped(count) { "(此后略去 {count} 条)" "({count} entries after this were dropped)" }
    article(number) { "第{number}条" "Art. {number}" }
    by_article(what, number) { "{what}(第{number}条)" "{what} (Art. {number})" }
    generation(number) { "第 {number} 版" "generation {number}" }
    altered_at(state, place) { "{state}({place})" "{state} ({place})" }
    unserved() {
        "该集群没有 MutatingAdmissionPolicy(1.36 之前),戳记由客户端提供"
        "this cluster has no MutatingAdmissionPolicy (before 1.36); clients send the stamps"
    }
    all_in_order(count, version) { "{count} 项均与本版({version})一致" "all {count} are as shipped with this version ({version})" }
    not_in_order(bad, count) {
        "{count} 项中有 {bad} 项不符:审批关口不完整,operator 不会据此办理"
        "{bad} of {count} are not in order: the gate is open, and the operator carries out nothing"
    }
    no_certificate(name, phase) { "{name} 尚无退出证明(现为 {phase})" "{name} has no certificate yet (it is {phase})" }
    certificate_false(name, written, computed) {
        "{name} 的退出证明与其摘要不符(所载 {written},实为 {computed}):内容被改动,不能作为凭据"
        "the certificate of {name} does not match its digest (it says {written}, it is {computed}): it was altered and proves nothing"
    }
    certificate_true(digest) { "摘要相符:{digest}" "the digest matches: {digest}" }
    not_approved(record, phase) { "{record} 未获批准(现为 {phase}),没有可写的工单" "{record} is not approved (it is {phase}); there is no grant to write" }
    altered_since(record) { "{record} 批准后内容被改动,不能据此开通" "{record} was altered after its approval; nothing may be granted from it" }
    not_its_change(change, application) { "{change} 不是 {application} 的资源变更" "{change} is no resource adjustment of {application}" }
    not_applying(change, phase) { "{change} 现为 {phase};只有实施中(Applying)的变更才写入工单" "{change} is {phase}; only a change that is being carried out (Applying) goes into the grant" }
    changed_later(application, change) {
        "{application} 已按变更 {change} 开通,不能退回原批准;用 --change"
        "{application} stands on change {change} and does not go back to its first approval; use --change"
    }
}
