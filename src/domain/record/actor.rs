//! Actor of a timeline entry: who acted, and for which party.

use std::borrow::Cow;

use govcloud_api::deadline::Party;

/// Identity that acted, and its party.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// Username, or the operator's name; empty where the record does not show who it was.
    pub name: Cow<'static, str>,
    /// Party that acted, or for which the operator acted.
    pub party: Option<Party>,
}

/// The operator, for no party: clocks, findings and what follows from them.
pub const OPERATOR: Actor = Actor { name: Cow::Borrowed(NAME), party: None };

/// The operator's name in timelines.
const NAME: &str = "govcloud-operator";

impl Actor {
    /// The operator, which did by itself what a party owes.
    #[must_use]
    pub fn operator_for(party: Party) -> Self {
        Self { party: Some(party), ..OPERATOR }
    }

    /// A person by the username that the API server authenticated.
    #[must_use]
    pub fn person(name: &str, party: Party) -> Self {
        Self { name: Cow::Owned(name.to_owned()), party: Some(party) }
    }

    /// Somebody of a party, whose name no stamp holds.
    #[must_use]
    pub fn unnamed(party: Party) -> Self {
        Self { name: Cow::Borrowed(""), party: Some(party) }
    }

    /// Whoever an invalid decision names, who may be of any party; the operator where it names nobody.
    #[must_use]
    pub fn of_annotation(name: &str) -> Self {
        if name.is_empty() { OPERATOR } else { Self { name: Cow::Owned(name.to_owned()), party: None } }
    }
}
