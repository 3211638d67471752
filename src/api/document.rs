//! Documents that a record refers to (Art. 11, 14, 18): never stored here, only named and fingerprinted.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// Address of a document.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(transparent)]
pub struct Uri(pub String);

impl JsonSchema for Uri {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Uri".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "minLength": 1, "maxLength": 2048,
            "x-kubernetes-validations": [{
                "rule": "isURL(self)",
                "message": "不是有效的地址，请写完整的地址，如 https://… / not a valid URL: write it in full, such as https://…",
            }],
        })
    }
}

/// Fingerprint of a document: 64 lowercase hexadecimal digits, as `sha256sum FILE` prints them.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(transparent)]
pub struct Sha256(pub String);

impl JsonSchema for Sha256 {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Sha256".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "maxLength": 128,
            "x-kubernetes-validations": [{
                "rule": "self.matches('^[0-9a-f]{64}$')",
                "message": "须为文件的 SHA-256：64 位小写十六进制（用 sha256sum FILE 计算） / must be the file's SHA-256: 64 lowercase hexadecimal digits (run sha256sum FILE)",
            }],
        })
    }
}

/// 项目批复文件: the approval of the project by the competent body (Art. 11 (1)).
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ProjectApproval {
    /// Number of the approval document, for example 豫发改〔2026〕12号.
    #[schemars(length(min = 1, max = 128))]
    pub document_number: String,
    /// The body that issued it.
    #[schemars(length(min = 1, max = 128))]
    pub issued_by: String,
    /// Date of issue, YYYY-MM-DD.
    #[schemars(length(max = 10), extend("format" = "date"))]
    pub issued_on: String,
    /// Address of the document.
    pub uri: Uri,
    /// SHA-256 of the document's bytes, 64 lowercase hexadecimal digits.
    pub sha256: Sha256,
}

/// 上云技术方案, maintenance plan or another titled document (Art. 11 (2), 18).
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct TitledDocument {
    /// Title of the document.
    #[schemars(length(min = 1, max = 256))]
    pub title: String,
    /// Address of the document.
    pub uri: Uri,
    /// SHA-256 of the document's bytes, 64 lowercase hexadecimal digits.
    pub sha256: Sha256,
}

/// A document known by its address and fingerprint only.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Attachment {
    /// Address of the document.
    pub uri: Uri,
    /// SHA-256 of the document's bytes, 64 lowercase hexadecimal digits.
    pub sha256: Sha256,
}

/// 测试情况: the test report that the department sends after go-live (Art. 14).
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct TestReport {
    /// Address of the report.
    pub uri: Uri,
    /// SHA-256 of the report's bytes, 64 lowercase hexadecimal digits.
    pub sha256: Sha256,
    /// Tests and their outcome, in a few sentences.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    pub summary: Option<String>,
}
