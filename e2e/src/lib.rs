//! A real control plane for tests, for `make demo` and for `make dev`.
//!
//! | room | what it is for |
//! |---|---|
//! | [`suite`] | the `main` of a test binary: one cluster around all its tests, dumps on failure |
//! | [`cluster`] | everything at once: control plane, actors, what the project installs, the operator |
//! | [`control_plane`] | etcd, kube-apiserver and kube-controller-manager on free loopback ports, with TLS |
//! | [`binaries`] | where those come from |
//! | [`process`] | a child process with a log file, which never outlives us |
//! | [`keeper`] | the watchman who cleans up when we are killed |
//! | [`pki`] | the CA, server and client certificates, the key for service-account tokens |
//! | [`actors`] | who acts: users, their groups, their kubeconfig files |
//! | [`kubectl`] | kubectl as a given actor |
//! | [`install`] | CRDs, RBAC, policies, calendars, the storage class; waiting until they are in force |
//! | [`operator`] | the operator as its own process with its own ServiceAccount's rights |
//! | [`in_process`] | the operator in the test's own process, by a clock that the test sets |
//! | [`sink`] | a receiver of CloudEvents that can be down, slow or in a bad mood |
//! | [`go`] | tests in Go, of what the project says to tools that are written in it |
//! | [`sockets`] | the connections that a process holds |
//! | [`wait`] | waiting on conditions, with the last seen state in the error |
//! | [`audit`] | the audit log, typed, for counting writes and LISTs |
//! | [`fixtures`] | regions and departments, and the steps of a life, each by the actor who takes it |
//! | [`prometheus`] | a real Prometheus that scrapes the operator |
//! | [`volumes`] | the directories behind the PersistentVolumes |
//! | [`dump`] | what is written down when a test fails |
//! | [`node`] | a real node, for tests with Pods |
//! | [`tools`] | helm and the checkers of manifests |
//! | [`stack`] | the background stack of `make dev` |
//! | [`requests`] | plain requests to the API server, many at once |
//! | [`demo`] | the story that `make demo` plays |
//! | [`paths`] | where things lie in the repository |
//! | [`documents`] | the text of the documents: links, punctuation, blocks |

pub mod actors;
pub mod audit;
pub mod binaries;
pub mod cluster;
pub mod control_plane;
pub mod demo;
pub mod documents;
pub mod dump;
pub mod fixtures;
pub mod go;
pub mod in_process;
pub mod install;
pub mod keeper;
pub mod kubectl;
pub mod node;
pub mod operator;
pub mod paths;
pub mod people;
pub mod pki;
pub mod process;
pub mod prometheus;
pub mod proxy;
pub mod requests;
pub mod sink;
pub mod sockets;
pub mod stack;
pub mod suite;
pub mod tools;
pub mod volumes;
pub mod wait;

pub use fixtures as office;
pub use actors as personas;
