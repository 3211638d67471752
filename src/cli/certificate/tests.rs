use super::super::specimen::certificate;
use super::*;

#[test]
fn as_text_in_both_languages() {
    let certificate = certificate();
    let paper = Paper { certificate: &certificate, record: "travel-exit", department: "dept-transport" };
    insta::assert_snapshot!(paper.text(Lang::Zh) + "\n--------\n\n" + &paper.text(Lang::En));
}

#[test]
fn as_a_page_that_needs_nothing_from_elsewhere() {
    let certificate = certificate();
    let page = Paper { certificate: &certificate, record: "travel-exit", department: "dept-transport" }
        .page()
        .unwrap();
    for from_elsewhere in ["http:", "https:", "src=", "url(", "@import", "<script", "<link"] {
        assert!(!page.contains(from_elsewhere), "{from_elsewhere}");
    }
    for said in ["销毁 1 个", "保留 1 个", "移交 1 个", &certificate.digest] {
        assert!(page.contains(said), "{said}");
    }
    insta::assert_snapshot!(page.split_once("</style>").unwrap().1);
}

#[test]
fn what_a_record_says_is_text_and_never_markup() {
    let mut certificate = certificate();
    certificate.system = "<script>alert(1)</script>".to_owned();
    let page = Paper { certificate: &certificate, record: "x", department: "y" }.page().unwrap();
    assert!(!page.contains("<script>") && page.contains("&lt;script&gt;"));
}

#[test]
fn an_altered_certificate_proves_nothing() {
    let mut certificate = certificate();
    assert!(verified("travel-exit", &certificate, Lang::En).is_ok());
    certificate.volumes.remove(1);
    let refused = verified("travel-exit", &certificate, Lang::En).unwrap_err().to_string();
    assert!(refused.starts_with("the certificate of travel-exit does not match its digest"), "{refused}");
    certificate.digest = String::new();
    assert!(verified("travel-exit", &certificate, Lang::Zh).is_err());
}
