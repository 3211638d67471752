//! The connection to the API server: one HTTP/2 connection, shared by watches, reads and writes.
//!
//! This file exists because kube 5's builder enables HTTP/1.1 only, with a connection and a TLS session for each of some
//! 25 watches and for each parallel request. The layers above the transport are kube's, in kube's order
//! (`docs/decisions/0046-*`).

use std::time::Duration;

use http::{Request, Response};
use http_body_util::BodyExt as _;
use hyper_rustls::{FixedServerNameResolver, HttpsConnector, HttpsConnectorBuilder};
use hyper_timeout::TimeoutConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use kube::client::retry::RetryPolicy;
use kube::client::{Body, ClientBuilder, ConfigExt as _, DynBody, RustlsTlsError};
use tower::retry::RetryLayer;
use tower::util::BoxService;
use tower::{BoxError, ServiceBuilder, ServiceExt as _};

/// The layers of a client.
type Stack = BoxService<Request<Body>, Response<Box<DynBody>>, BoxError>;

/// The transport below kube's layers.
type Transport = Client<TimeoutConnector<HttpsConnector<HttpConnector>>, Body>;

/// Interval of pings: they detect a connection that a firewall dropped.
const PING: Duration = Duration::from_secs(30);

/// Time that the response to a ping may take; then another connection is opened.
const PONG: Duration = Duration::from_secs(15);

/// The layers of a client, on one connection. Behind a proxy they are kube's own, which tunnels HTTP/1.1.
///
/// # Errors
/// The configuration is not usable: certificates, keys, or a header's text.
pub fn builder(config: kube::Config) -> kube::Result<ClientBuilder<Stack>> {
    if config.proxy_url.is_some() {
        return ClientBuilder::try_from(config);
    }
    let retry = config.default_retry.then(|| RetryLayer::new(RetryPolicy::server_retry()));
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(retry)
        .option_layer(config.auth_layer()?)
        .layer(config.extra_headers_layer()?)
        .map_err(BoxError::from)
        .service(transport(&config)?);
    let boxed = |response: Response<hyper::body::Incoming>| {
        response.map(|body| Box::new(body.map_err(BoxError::from)) as Box<DynBody>)
    };
    Ok(ClientBuilder::new(service.map_response(boxed).boxed(), config.default_namespace.clone()))
}

fn transport(config: &kube::Config) -> kube::Result<Transport> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    // Small parallel requests do not wait for the acknowledgement of each other's packets.
    tcp.set_nodelay(true);
    let mut tls =
        HttpsConnectorBuilder::new().with_tls_config(config.rustls_client_config()?).https_or_http();
    if let Some(name) = &config.tls_server_name {
        let name = name.clone().try_into().map_err(RustlsTlsError::InvalidServerName);
        tls = tls
            .with_server_name_resolver(FixedServerNameResolver::new(name.map_err(kube::Error::RustlsTls)?));
    }
    // A server without HTTP/2 is used over HTTP/1.1.
    let mut connector = TimeoutConnector::new(tls.enable_all_versions().wrap_connector(tcp));
    connector.set_connect_timeout(config.connect_timeout);
    connector.set_read_timeout(config.read_timeout);
    connector.set_write_timeout(config.write_timeout);
    connector.set_reset_reader_on_write(config.reset_reader_on_write);
    let client = Client::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .http2_keep_alive_interval(PING)
        .http2_keep_alive_timeout(PONG)
        .http2_keep_alive_while_idle(true)
        .build(connector);
    Ok(client)
}
