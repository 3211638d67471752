//! Names of a record and of the objects about it.

use e2e::fixtures::Kind;
use govcloud_domain::names;

/// Resource, namespace and name, which are the same on another control plane; of a volume those of its claim.
pub type ObjectKey = (String, String, String);

/// Namespace and name of an application, and of its grant and its exit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Record {
    pub namespace: String,
    pub name: String,
}

impl Record {
    /// Path of the record of a kind.
    pub fn path(&self, kind: Kind) -> String {
        format!("{}/{}", collection(&self.namespace, kind), self.name)
    }

    /// Key of the application in a snapshot.
    pub fn key(&self) -> ObjectKey {
        ("cloudapplications".to_owned(), self.namespace.clone(), self.name.clone())
    }

    /// Name of the application's tenant namespace; it contains the application's name.
    pub fn tenant(&self) -> String {
        names::tenant_namespace(&self.namespace, &self.name, "prod")
    }
}

/// Path of the records of a kind in a namespace.
pub fn collection(namespace: &str, kind: Kind) -> String {
    format!("/apis/govcloud.dev/v1alpha1/namespaces/{namespace}/{}", kind.resource().plural)
}
