//! The connection to the API server: one, of HTTP/2, on which watches, reads and writes go side by side.
//!
//! kube's client speaks HTTP/1.1: a connection, with a TLS session and buffers, for each watch and for each request that
//! is under way. Only what carries the requests is another here; the layers above it are kube's, in kube's order
//! (`docs/decisions/0046-one-connection.md`).

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

/// What carries the requests.
type Transport = Client<TimeoutConnector<HttpsConnector<HttpConnector>>, Body>;

/// How often a connection is asked whether it lives: one that a firewall forgot is noticed by this, not by silence.
const PING: Duration = Duration::from_secs(30);

/// How long the answer may take, after which everything on the connection is asked anew on another.
const PONG: Duration = Duration::from_secs(15);

/// Bytes of one answer that may be under way unread. Hundreds of streams share a connection, and each may fill its part.
const STREAM_WINDOW: u32 = 256 * 1024;

/// Bytes of all answers that may be under way unread.
const CONNECTION_WINDOW: u32 = 2 * 1024 * 1024;

/// A client's layers on one connection. Behind a proxy they are kube's own, which tunnels HTTP/1.1.
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
    let boxed = |answer: Response<hyper::body::Incoming>| {
        answer.map(|body| Box::new(body.map_err(BoxError::from)) as Box<DynBody>)
    };
    Ok(ClientBuilder::new(service.map_response(boxed).boxed(), config.default_namespace.clone()))
}

fn transport(config: &kube::Config) -> kube::Result<Transport> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    // Requests are small and go side by side: none waits for the acknowledgement of another's packet.
    tcp.set_nodelay(true);
    let mut tls =
        HttpsConnectorBuilder::new().with_tls_config(config.rustls_client_config()?).https_or_http();
    if let Some(name) = &config.tls_server_name {
        let name = name.clone().try_into().map_err(RustlsTlsError::InvalidServerName);
        tls = tls
            .with_server_name_resolver(FixedServerNameResolver::new(name.map_err(kube::Error::RustlsTls)?));
    }
    // A server that does not offer HTTP/2 is spoken to in HTTP/1.1.
    let mut connector = TimeoutConnector::new(tls.enable_all_versions().wrap_connector(tcp));
    connector.set_connect_timeout(config.connect_timeout);
    connector.set_read_timeout(config.read_timeout);
    connector.set_write_timeout(config.write_timeout);
    connector.set_reset_reader_on_write(config.reset_reader_on_write);
    let client = Client::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .http2_initial_stream_window_size(STREAM_WINDOW)
        .http2_initial_connection_window_size(CONNECTION_WINDOW)
        .http2_keep_alive_interval(PING)
        .http2_keep_alive_timeout(PONG)
        .http2_keep_alive_while_idle(true)
        .build(connector);
    Ok(client)
}
