//! A real control plane for tests, for `make demo` and for `make dev`.
//!
//! | module | content |
//! |---|---|
//! | [`suite`] | `main` of a test binary: one cluster around all its tests, dumps on failure |
//! | [`cluster`] | a whole cluster: control plane, actors, the installed project, the operator |
//! | [`fixtures`] | regions and departments, and the steps of a life, each by the actor who takes it |
//! | [`sample_department`] | the same steps by kubectl, on the department of the samples |
//! | [`kind`] | the kinds of records |
//! | [`actors`] | users, their groups, their kubeconfig files |
//! | [`kubectl`] | kubectl as a given actor |
//! | [`wait`] | waiting on conditions, with the last seen state in the error |
//! | [`audit`] | the audit log, typed, for counting writes and LISTs |
//! | [`requests`] | plain requests to the API server, many at once |
//! | [`proxy`] | a proxy that injects faults between the operator and the API server |
//! | [`operator`] | the operator as its own process with its own ServiceAccount's rights |
//! | [`in_process`] | the operator in the test's own process, by a clock that the test sets |
//! | [`sink`] | a receiver of CloudEvents that can be down, slow or refusing |
//! | [`prometheus`] | a real Prometheus that scrapes the operator |
//! | [`control_plane`] | etcd, kube-apiserver and kube-controller-manager on free loopback ports, with TLS |
//! | [`binaries`] | the control plane's programs |
//! | [`install`] | CRDs, RBAC, policies, calendars, the storage class; waiting until they are in force |
//! | [`node`] | a real node, for tests with Pods |
//! | [`process`] | a child process with a log file, which never outlives us |
//! | [`supervisor`] | the process that cleans up when we are killed |
//! | [`plugin`] | runs of `kubectl govcloud` |
//! | [`policies`] | what the project's policies match, read from their files |
//! | [`pki`] | the CA, server and client certificates, the key for service-account tokens |
//! | [`static_policies`] | the keeper policy as files of an API server |
//! | [`volumes`] | the directories behind the PersistentVolumes |
//! | [`sockets`] | the connections that a process holds |
//! | [`dump`] | the state that is written down when a test fails |
//! | [`tools`] | helm and the checkers of manifests |
//! | [`go`] | tests in Go, of what tools that are written in it read of the project |
//! | [`stack`] | the background stack of `make dev` |
//! | [`demo`] | the steps of `make demo` |
//! | [`paths`] | paths in the repository |
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
pub mod kind;
pub mod kubectl;
pub mod node;
pub mod operator;
pub mod paths;
pub mod pki;
pub mod plugin;
pub mod policies;
pub mod process;
pub mod prometheus;
pub mod proxy;
pub mod requests;
pub mod sample_department;
pub mod sink;
pub mod sockets;
pub mod stack;
pub mod static_policies;
pub mod suite;
pub mod supervisor;
pub mod tools;
pub mod volumes;
pub mod wait;
