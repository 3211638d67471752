use super::super::test_fixtures::certificate;
use super::*;

#[test]
fn text_in_both_languages() {
    let certificate = certificate();
    let view =
        CertificateView { certificate: &certificate, record: "travel-exit", department: "dept-transport" };
    insta::assert_snapshot!(view.text(Lang::Zh) + "\n--------\n\n" + &view.text(Lang::En));
}

#[test]
fn page_has_no_external_resources() {
    let certificate = certificate();
    let page =
        CertificateView { certificate: &certificate, record: "travel-exit", department: "dept-transport" }
            .page()
            .unwrap();
    for from_elsewhere in ["http:", "https:", "src=", "url(", "@import", "<script", "<link"] {
        assert!(!page.contains(from_elsewhere), "{from_elsewhere}");
    }
    for text in [
        "销毁 3 个",
        "移交后销毁 1 个",
        "手工移除而未见销毁 1 个",
        "保留 1 个",
        "张工",
        "nightly",
        &certificate.digest,
    ] {
        assert!(page.contains(text), "{text}");
    }
    insta::assert_snapshot!(page.split_once("</style>").unwrap().1);
}

#[test]
fn page_escapes_markup() {
    let mut certificate = certificate();
    certificate.system = "<script>alert(1)</script>".to_owned();
    let page = CertificateView { certificate: &certificate, record: "x", department: "y" }.page().unwrap();
    assert!(!page.contains("<script>") && page.contains("&lt;script&gt;"));
}

#[test]
fn verify_refuses_an_altered_certificate() {
    let mut certificate = certificate();
    assert!(verify("travel-exit", &certificate, Lang::En).is_ok());
    certificate.volumes.remove(1);
    let refused = verify("travel-exit", &certificate, Lang::En).unwrap_err().to_string();
    assert!(refused.starts_with("the certificate of travel-exit does not match its digest"), "{refused}");
    certificate.digest = String::new();
    assert!(verify("travel-exit", &certificate, Lang::Zh).is_err());
}
