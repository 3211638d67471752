//! Texts of the plugin, in Chinese and English; names of phases, acts and labels are in [`terms`].

use std::fmt::Display;

use super::output::Lang;
use govcloud_domain::deadline::numeral;

pub(super) mod terms;

/// Defines one function a text, `name(lang, arguments…)`.
macro_rules! texts {
    ($($name:ident($($arg:ident),*) { $zh:literal $en:literal })*) => { $(
        pub(super) fn $name(lang: Lang $(, $arg: impl Display)*) -> String {
            lang.pick(format_args!($zh), format_args!($en)).to_string()
        }
    )* };
}

// Usage errors.
texts! {
    bad_target(given) {
        "“{given}”不是 KIND/NAME；KIND 为 capp、chreq、decom、grant、stmt、comp、insp 或 asmt，如 capp/travel"
        "\"{given}\" is not KIND/NAME; KIND is capp, chreq, decom, grant, stmt, comp, insp or asmt, such as capp/travel"
    }
    not_an_exit(given, exits) {
        "“{given}”不是退出申请；数据清单、授权、签收和退出证明只属于退出申请。{exits}"
        "\"{given}\" is not a Decommission; only a Decommission has an inventory, a consent, receipts and a certificate. {exits}"
    }
    its_exits(exits) { "其退出申请：{exits}" "Its exits: {exits}" }
    no_exits() { "本空间没有它的退出申请" "It has none in this namespace" }
    not_decided(kind) { "{kind} 不经主管部门审核；可审核的为 capp、chreq、decom、stmt、comp、insp、asmt" "a {kind} is not decided by the authority; capp, chreq, decom, stmt, comp, insp and asmt are" }
    not_a_statement(given) { "“{given}”不是结算单；请写月份，如 2026-10" "\"{given}\" is not a Statement; give its month, such as 2026-10" }
    opinion_required(verb) { "{verb} 须填写审核意见（第十二条）：--opinion '…'" "{verb} requires an opinion (Art. 12): --opinion '…'" }
    bad_sha256(given) { "“{given}”不是 SHA-256：须为 64 位小写十六进制数（sha256sum FILE）" "\"{given}\" is not a SHA-256: 64 lowercase hexadecimal digits (sha256sum FILE)" }
    bad_uid(given) { "“{given}”不是 UID" "\"{given}\" is not a UID" }
    unreadable(file, why) { "无法读取 {file}：{why}" "cannot read {file}: {why}" }
    needs_yes() { "没有终端，无法确认；核对以上内容后加 --yes" "no terminal to confirm on; check the above, then add --yes" }
}

// Connection and rights.
texts! {
    unreachable(url, why) { "无法访问集群 {url}：{why}" "cannot reach the cluster at {url}: {why}" }
    next_connection() {
        "检查网络（包括 VPN、代理）和 kubeconfig 中的地址：kubectl cluster-info"
        "check the network (VPN and proxy too) and the address in the kubeconfig: kubectl cluster-info"
    }
    unauthenticated() { "API 服务器不认可凭据：凭据缺失、有误或者已过期" "the API server does not accept your credentials: they are missing, wrong or expired" }
    next_credentials() { "重新登录，或者向平台管理人员领取新的 kubeconfig 文件：kubectl auth whoami" "log in again, or ask the platform's administrator for a new kubeconfig: kubectl auth whoami" }
    next_kubeconfig() {
        "用 --kubeconfig FILE 或者 KUBECONFIG 指明本人的 kubeconfig 文件；查看其内容：kubectl config view"
        "name your kubeconfig with --kubeconfig FILE or KUBECONFIG; see its content: kubectl config view"
    }
    bad_kubeconfig(why) { "kubeconfig 不可用：{why}" "cannot use the kubeconfig: {why}" }
    no_such_object(kind, name) { "没有 {kind} {name}" "there is no {kind} {name}" }
    no_such(what, namespace) { "命名空间 {namespace} 中没有 {what}" "there is no {what} in namespace {namespace}" }
    not_installed() { "该集群未安装 govcloud.dev 的资源类型；请联系平台管理人员" "this cluster does not serve govcloud.dev; its administrator must install it first" }
    malformed(what, why) { "{what} 不符合现行格式：{why}" "{what} does not fit the schema: {why}" }
    may_not(act, verb, resource, namespace) { "您无权{act}（{verb} {resource}，命名空间 {namespace}）" "you may not {verb} {resource} in namespace {namespace}" }
    may_not_all(act, verb, resource) { "您无权{act}（{verb} {resource}，全部命名空间）" "you may not {verb} {resource} in all namespaces" }
    may_not_here(act, verb, resource) { "您无权{act}（{verb} {resource}）" "you may not {verb} {resource}" }
    ask_for_auditor() { "请管理员绑定角色 govcloud:auditor（docs/roles.md）" "ask an administrator to bind role govcloud:auditor (docs/roles.md)" }
    ask_for_role() { "请管理员在该命名空间绑定相应角色（docs/roles.md）" "ask an administrator to bind the role in that namespace (docs/roles.md)" }
    try_namespace() {
        "用 -n 指定一个您有权查看的命名空间；queue 不加 -A 和 -n 时，列出您负责的区域的各部门申报空间"
        "name a namespace that you may read with -n; queue without -A and -n reads the filing namespaces of your regions"
    }
    failed(why) { "API 服务器未能办理：{why}" "the API server failed: {why}" }
}

// Adoption.
texts! {
    adopt_title(namespace, uid) { "纳管前检查（第三条）：命名空间 {namespace}，UID {uid}" "Check before adoption (Art. 3): namespace {namespace}, UID {uid}" }
    adopt_before() { "申请获批前须办：" "To be done before the application can be approved:" }
    adopt_before_enforcing() { "填写 spec.enforce 前须办：" "To be done before spec.enforce is said:" }
    adopt_known() { "须知：" "To be known:" }
    adopt_use() { "现用量，申请的配额不得低于此：" "Use now; ask for at least this:" }
    adopt_ready() { "没有妨碍纳管的事项。" "Nothing stands in the way of an adoption." }
    adopt_not_ready() { "尚不能纳管，请先办理上列事项。" "It cannot be adopted yet; see to the above first." }
}

// Decisions.
texts! {
    deciding(verdict, record) { "将对 {record} 作出审核结论：{verdict}" "About to decide on {record}: {verdict}" }
    with_opinion(opinion) { "审核意见：{opinion}" "Opinion: {opinion}" }
    without_opinion() { "未填写审核意见。" "No opinion is given." }
    only_checked(record) { "{record}：API 服务器核验通过；没有提交" "{record}: the API server accepts the request; nothing was submitted" }
    final_note(verdict) { "“{verdict}”作出后不能更改。" "\"{verdict}\" is final." }
    confirm() { "确认？[y/N] " "Continue? [y/N] " }
    confirm_by_name(name) { "数据将被销毁。输入 {name} 以确认：" "Data will be destroyed. Type {name} to continue: " }
    not_confirmed() { "未确认，没有改动任何内容" "not confirmed; nothing was changed" }
    decided(record, generation, verdict, by) { "{record} 第 {generation} 次提交稿：{verdict}（{by}）" "{record} generation {generation}: {verdict} by {by}" }
    changed_since(what) {
        "显示之后内容有变动（{what}），没有提交；请重新查看后办理"
        "the record changed since it was shown ({what}); nothing was submitted. Check it again, then decide"
    }
    would_be_rewritten(field, sent, stored) {
        "所发的 {field} 为“{sent}”，API 服务器将存为“{stored}”：有他方策略或 webhook 改写请求；没有提交"
        "the API server would store {field} as \"{stored}\", and you sent \"{sent}\": a policy or webhook of others rewrites requests. Nothing was submitted"
    }
    was_rewritten(field, sent, stored) {
        "所发的 {field} 为“{sent}”，实际存入“{stored}”：该内容不是您的意思表示，请勿据此办理"
        "you sent {field} \"{sent}\", and \"{stored}\" was stored: what is on record is not what you said"
    }
    next_verify() {
        "核查改写请求的策略和 webhook：kubectl govcloud verify"
        "see which policies and webhooks can rewrite requests: kubectl govcloud verify"
    }
    next_report() {
        "立即报告主管部门和审计人员，并保全审计日志（docs/security.md）"
        "report it to the authority and the auditors at once, and keep the audit log (docs/security.md)"
    }
    other_generation(reviewed, now) {
        "所审核的是第 {reviewed} 次提交稿，现为第 {now} 次提交稿，没有提交；请重新查看后办理"
        "you reviewed generation {reviewed}, but the record has generation {now}; nothing was submitted. Check it again, then decide"
    }
    submitted(record, verdict) {
        "{record}：已提交“{verdict}”，管控程序（operator）记录后生效"
        "{record}: {verdict} submitted; it counts once the operator has recorded it"
    }
    nothing_changed(record) { "{record} 没有任何改动，没有作出结论" "nothing changed on {record}; nothing was decided" }
    not_recorded(record, seconds) {
        "{record} 已提交，但管控程序（operator）{seconds} 秒内没有记录；请检查管控程序是否运行"
        "{record} was submitted, but the operator did not record it within {seconds} s; check that it runs"
    }
    recorded_void(record, why) { "{record} 的结论不生效：{why}" "the decision on {record} does not count: {why}" }
    void_stands(record, why) {
        "{record} 有无效的审核结论（{why}），清除之前不能重新审核"
        "{record} has an invalid decision ({why}); it must be removed before a new one"
    }
    would_not_count(record, why) {
        "没有提交：现在对 {record} 作出的结论不生效（{why}）"
        "nothing was submitted: a decision on {record} would not count now ({why})"
    }
    next_policies() {
        "请平台管理人员恢复审批策略（kubectl govcloud verify），恢复后再审核；仍要提交的，加 --force"
        "ask the platform's administrator to restore the policies (kubectl govcloud verify), then decide; --force submits all the same"
    }
    clear_submitted(record) { "{record}：已提交清除，管控程序（operator）办理后可以重新审核" "{record}: removal submitted; a new decision is possible once the operator has seen it" }
    refused(why) { "被拒绝：{why}" "refused: {why}" }
    next(what) { "下一步：{what}" "next: {what}" }
    next_authority(region, authority) { "由区域 {region} 的主管部门（{authority}）审核" "the authority of region {region} ({authority}) decides" }
    next_wildcard(region) {
        "以“*”授予的权限不作为审核权限；请由单独获授 regions.govcloud.dev/{region} approve 权限的人员办理"
        "wildcard rights do not count; use an account that holds approve on regions.govcloud.dev/{region} by name"
    }
    next_other_person() { "请本部门另一位审核人员办理" "another approver must decide" }
    next_clear_void(record, namespace) {
        "先清除无效的审核结论：kubectl govcloud clear-void {record} -n {namespace}"
        "first remove the invalid decision: kubectl govcloud clear-void {record} -n {namespace}"
    }
    next_decided(record, namespace) {
        "已有审核结论：kubectl govcloud show {record} -n {namespace}"
        "a decision exists already: kubectl govcloud show {record} -n {namespace}"
    }
    next_wait_correction() { "待使用部门补正后再审核" "wait for the correction by the department" }
    next_return(record, namespace) {
        "内容未核验通过；可退回：kubectl govcloud return {record} -n {namespace} --opinion '…'"
        "the record is not valid; return it: kubectl govcloud return {record} -n {namespace} --opinion '…'"
    }
    next_wait_operator() {
        "管控程序（operator）尚未核验该次提交稿，请稍后再办；长时间没有结果的，请检查管控程序"
        "the operator has not checked this generation yet; try again in a moment. If that persists, check the operator"
    }
    next_consent(name, namespace) {
        "须先由使用部门授权：kubectl govcloud consent {name} -n {namespace}"
        "the department must consent first: kubectl govcloud consent {name} -n {namespace}"
    }
    next_show(record, namespace) { "查看当前情况：kubectl govcloud show {record} -n {namespace}" "show its status: kubectl govcloud show {record} -n {namespace}" }
    not_void(record) { "{record} 没有无效的审核结论" "{record} has no invalid decision" }
    clearing(record, why) { "将清除 {record} 的无效审核结论（{why}）" "About to remove the invalid decision of {record} ({why})" }
    cleared(record) { "{record} 的无效审核结论已清除，可以重新审核" "the invalid decision of {record} was removed; a new decision is possible" }
}

// Acts of the department.
texts! {
    withdrawing(record) { "将撤回 {record}；撤回后不能恢复" "About to withdraw {record}; this cannot be undone" }
    withdrawing_approved(record) {
        "将撤回已同意的 {record}；尚未开通任何资源的才生效，生效后不能恢复"
        "About to withdraw {record}, which is approved; it ends if nothing was made of it yet, and that cannot be undone"
    }
    withdrawn(record) { "{record} 已撤回" "{record} is withdrawn" }
    withdrawal_submitted(record) {
        "{record}：已提交撤回，管控程序（operator）查明未开通任何资源后生效"
        "{record}: withdrawal submitted; it counts once the operator has found that nothing was made"
    }
    withdrawn_too_late(record) {
        "{record} 的撤回不生效：撤回时资源已开始开通"
        "the withdrawal of {record} does not count: provisioning had begun"
    }
    next_exit() {
        "不再使用的，开通后提交退出申请（docs/exit.md）"
        "to leave, file a Decommission once it is provisioned (docs/exit.md)"
    }
    no_inventory(name) { "{name} 的数据清单尚未公布" "the inventory of {name} is not published yet" }
    consenting(name, digest) {
        "将授权按以上清单处置 {name} 的数据（第二十三条）\n清单校验值 {digest}"
        "About to consent to the listed actions on the data of {name} (Art. 23)\ninventory {digest}"
    }
    may_not_consent(namespace) {
        "您无权代使用部门授权（consent，命名空间 {namespace}；以“*”授予的权限不计）"
        "you may not consent for the department in namespace {namespace} (verb consent, by name; wildcard rights do not count)"
    }
    consented_already(name) { "{name} 的当前清单已获授权" "the present inventory of {name} has consent already" }
    consented(name, digest, by) { "{name}：{by} 已授权 {digest}" "{name}: {by} consented to {digest}" }
    no_such_volume(uid, listed) { "清单中没有待移交的数据卷 {uid}；待移交的有：{listed}" "the inventory has no volume {uid} to hand over; volumes to hand over: {listed}" }
    receipt_exists(uid) { "数据卷 {uid} 已有回执，回执不能更改" "volume {uid} has a receipt already; receipts cannot be changed" }
    receiving(name, claim, by, sha256) {
        "将为 {name} 签收数据卷 {claim}（接收人 {by}，回执 sha256 {sha256}）；签收后该数据卷将被销毁"
        "About to submit the receipt for {claim} of {name} (received by {by}, receipt sha256 {sha256}); the volume is destroyed afterwards"
    }
    the_platform() { "平台" "the platform" }
    inspection_finding(id, severity, article, text) { "{id}（{severity}，{article}）{text}" "{id} ({severity}, {article}) {text}" }
    no_such_finding(id, listed) { "该检查没有问题 {id}；其问题为：{listed}" "the inspection has no finding {id}; its findings: {listed}" }
    not_an_inspection(given) { "“{given}”不是安全检查（insp）" "\"{given}\" is not an Inspection (insp)" }
    responding(name, finding, number) { "将对 {name} 的问题 {finding} 提交第 {number} 次答复；提交后不能更改" "About to submit answer {number} to finding {finding} of {name}; it cannot be changed afterwards" }
    responded(name, finding) { "{name}：已答复问题 {finding}" "{name}: finding {finding} answered" }
    received(name, claim) { "{name}：已签收 {claim}" "{name}: receipt for {claim} submitted" }
}

// Queue, show, verify, certificate, grant.
texts! {
    nothing_waits(who, scope) { "{scope}没有待办事项（{who}）" "nothing to do for {who} {scope}" }
    queue_violated() {
        "审批策略不完整，现在作出的审核结论不生效；请平台管理人员恢复（kubectl govcloud verify）"
        "policies are incomplete: a decision made now does not count; ask the administrator to restore them (kubectl govcloud verify)"
    }
    in_namespace(namespace) { "命名空间 {namespace} 中" "in namespace {namespace}" }
    in_all() { "全部命名空间中" "in any namespace" }
    in_regions(codes) { "区域 {codes} 的部门申报空间中" "in the filing namespaces of region {codes}" }
    queue_refused(namespaces) {
        "未列入：您无权查看下列部门申报空间的申请记录，请管理员绑定角色（docs/roles.md）：{namespaces}"
        "not in the list, for you may not list records there: {namespaces}; ask an administrator to bind the role (docs/roles.md)"
    }
    queue_left_out(count) {
        "未列入：区域状态未列出的部门申报空间还有 {count} 个，请用 -n 逐个查看"
        "{count} more filing namespaces are not listed by the region; read them with -n"
    }
    no_party() {
        "您不是本空间的使用部门、主管部门或者政务云服务提供方（以“*”授予的权限不计）；--party all 列出全部"
        "you are neither department, authority nor provider here (wildcard rights do not count); --party all lists everything"
    }
    anybody() { "任何一方" "any party" }
    left(days) { "剩 {days} 个工作日" "{days} working days left" }
    left_one() { "剩 1 个工作日" "1 working day left" }
    late(days) { "逾期 {days} 个工作日" "{days} working days late" }
    late_one() { "逾期 1 个工作日" "1 working day late" }
    late_today() { "今日起逾期" "overdue since today" }
    provisional(days) { "{days}（暂定）" "{days} (provisional)" }
    waits(party, act) { "等待{party}：{act}" "waiting for the {party}: {act}" }
    waits_for_nobody() { "无待办" "nothing to do" }
    of_party(actor, party) { "{actor}（{party}）" "{actor} ({party})" }
    until(date) { "截止日期 {date} 24:00" "due {date} 24:00" }
    not_looked_at() { "管控程序尚未受理" "not processed by the operator yet" }
    dropped(count) { "（此后略去 {count} 条）" "({count} later entries were dropped)" }
    by_article(what, article) { "{what}（{article}）" "{what} ({article})" }
    generation(number) { "第 {number} 次提交稿" "generation {number}" }
    region(name, code, authority) { "{name}（{code}）  {authority}" "{name} ({code})  {authority}" }
    condition(name, state, reason) { "{name}（{state}，{reason}）" "{name} ({state}, {reason})" }
    access(kind, name, role) { "{kind} {name}：{role}" "{kind} {name}: {role}" }
    all_applications() { "本区域全部应用" "every application of the region" }
    met(at) { "完成于 {at}" "met {at}" }
    met_late(at, late) { "完成于 {at}（{late}）" "met {at} ({late})" }
    closed(at) { "终止于 {at}" "closed {at}" }
    paused(left) { "暂停计算 {left}" "paused {left}" }
    altered_at(state, place) { "{state}（{place}）" "{state} ({place})" }
    unserved() {
        "该集群没有 MutatingAdmissionPolicy（1.36 之前），办理人信息由客户端填写"
        "this cluster has no MutatingAdmissionPolicy (before 1.36); clients set the user annotations themselves"
    }
    all_in_order(count, version) { "{count} 项均与本版本（{version}）一致" "all {count} are as shipped with this version ({version})" }
    not_in_order(bad, count) {
        "{count} 项中有 {bad} 项不符：审批策略不完整，期间的审核结论不生效"
        "{bad} of {count} are not as shipped: policies are incomplete, and approvals do not count"
    }
    foreign_mutators(count) {
        "有 {count} 个他方策略或 webhook 可改写审核结论或租户对象：在移除或列入 allowedMutators 之前，审核结论不生效（docs/security.md）"
        "{count} policies or webhooks of others can rewrite decisions or tenant objects: approvals do not count until each is removed or listed in allowedMutators (docs/security.md)"
    }
    keepers(count) {
        "{count} 台 API 服务器均已加载防拆策略，不能经由 API 拆除审批策略"
        "all {count} API servers have the keeper policy: the admission policies cannot be removed through the API"
    }
    some_keepers(bad, count) {
        "{count} 台 API 服务器中有 {bad} 台未加载防拆策略：经由这些服务器可以拆除审批策略（docs/static-policies.md）"
        "{bad} of {count} API servers lack the keeper policy: the admission policies can be removed through them (docs/static-policies.md)"
    }
    no_keeper() {
        "API 服务器未加载防拆策略：有权改写策略的人员可以拆除审批策略，事后才能发现（docs/static-policies.md）"
        "no API server has the keeper policy: who may write policies can remove them, which is noticed only afterwards (docs/static-policies.md)"
    }
    keeper_not_known() {
        "API 服务器是否加载防拆策略未能核查：须有 validatingadmissionpolicies 的 patch 权限并可访问各台服务器（docs/static-policies.md）"
        "it is not known if API servers have the keeper policy: that needs verb patch on validatingadmissionpolicies, and a way to each server (docs/static-policies.md)"
    }
    masters_too() {
        "用户组 system:masters 不经绑定即持有全部权限；“*”不作为 approve、provision、consent、confirm、install 和 adopt-out 权限"
        "the group system:masters holds every right without a binding; * does not count for approve, provision, consent, confirm, install and adopt-out"
    }
    no_certificate(name, phase) { "{name} 尚无退出证明（现为“{phase}”）" "{name} has no certificate yet (phase {phase})" }
    certificate_false(name, written, computed) {
        "{name} 的退出证明与其校验值不符（所载 {written}，实为 {computed}）：内容被改动，不能作为凭据"
        "the certificate of {name} does not match its digest (recorded {written}, computed {computed}): it was altered and is not valid"
    }
    inventory_totals(destroyed, handed_over, retained) {
        "将销毁数据卷 {destroyed} 个（其中移交后销毁 {handed_over} 个），保留 {retained} 个"
        "volumes: {destroyed} will be destroyed ({handed_over} of them after hand-over), {retained} retained"
    }
    snapshots_deleted(count) { "，删除快照 {count} 个" "; snapshots: {count} will be deleted" }
    claims_deleted(count) { "，删除未绑定数据卷的申领（PVC）{count} 个" "; claims without a volume: {count} will be deleted" }
    left_out(count) {
        "另有 {count} 个未关联应用的数据卷未列入，保持原状"
        "{count} unclaimed volumes are left out and stay as they are"
    }
    totals(destroyed, handed_over, removed, retained, lost) {
        "销毁 {destroyed} 个（其中移交后销毁 {handed_over} 个、手工移除而未见销毁 {removed} 个），保留 {retained} 个，丢失 {lost} 个"
        "{destroyed} destroyed ({handed_over} of them after hand-over, {removed} removed by hand without an observed destruction), {retained} retained, {lost} lost"
    }
    cannot_consent(name, phase, why) {
        "{name} 现为“{phase}”，不能授权：{why}"
        "{name} is {phase}; consent cannot be given: {why}"
    }
    no_bill(name, phase) { "结算单 {name} 尚无账单（现为“{phase}”）" "statement {name} has no bill yet (phase {phase})" }
    no_digest(name) { "结算单 {name} 缺少计费所需的事实，只能以 text、json 查看" "statement {name} lacks facts, so it is shown as text or json only" }
    bill_false(name, written, computed) {
        "结算单 {name} 的账单与校验值不符（记录为 {written}，计算为 {computed}）：内容已被改动，不得据以结算"
        "the bill of statement {name} does not match its digest (recorded {written}, computed {computed}): it was altered; do not settle by it"
    }
    bill_incomplete() { "缺少计费所需的事实，没有校验值，不能确认。" "Facts are missing: the bill has no digest and cannot be confirmed." }
    certificate_true(digest) { "校验值相符：{digest}" "the digest matches: {digest}" }
    not_approved(record, phase) { "{record} 未审核通过（现为“{phase}”），没有可生成的工单" "{record} is not approved (phase {phase}); there is no grant to render" }
    altered_since(record) { "{record} 审核通过后内容被改动，不能据此开通" "{record} was altered after its approval; it cannot be provisioned" }
    not_its_change(change, application) { "{change} 不是 {application} 的资源变更" "{change} is no resource adjustment of {application}" }
    not_applying(change, phase) { "{change} 现为“{phase}”；只有“实施中”（Applying）的变更才写入工单" "{change} is {phase}; only a change in phase Applying goes into the grant" }
    changed_later(application, change) {
        "{application} 已按变更 {change} 开通，不能恢复为原配额；请用 --change"
        "{application} was changed by {change}; its first approval no longer applies. Use --change"
    }
}

/// Formats the number of an article of the measures.
pub(super) fn article(lang: Lang, number: i32) -> String {
    lang.pick(format!("第{}条", numeral(number)), format!("Art. {number}"))
}
