//! The edge with a certificate of its own.

use crate::stack::{PASSWORD, PATIENCE, Stack};
use duplex_edge::{Config, Edge, Limited, StartError, TlsFiles};
use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use reqwest::{Certificate, Client};
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use rustls::{ClientConfig, RootCertStore};
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

/// Makes a certificate for this machine, writes it, and tells it.
fn certify(files: &TlsFiles) -> String {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(&files.certificate, cert.pem()).unwrap();
    std::fs::write(&files.key, signing_key.serialize_pem()).unwrap();
    cert.pem()
}

fn files(folder: &Path) -> TlsFiles {
    TlsFiles {
        certificate: folder.join("cert.pem"),
        key: folder.join("key.pem"),
    }
}

/// Somebody who trusts one certificate and nothing else.
fn trusting(certificate: &str) -> Client {
    let certificate = Certificate::from_pem(certificate.as_bytes()).unwrap();
    Client::builder()
        .tls_certs_only([certificate])
        .build()
        .unwrap()
}

#[tokio::test]
async fn page_cookie_and_socket_come_over_tls() {
    let folder = TempDir::new().unwrap();
    let files = files(folder.path());
    let certificate = certify(&files);
    let mut stack = Stack::start_as(|config| config.tls = Some(files)).await;
    stack.http = trusting(&certificate);
    let ada = stack.ada().await;
    assert!(
        ada.cookie.starts_with("__Host-duplex_session="),
        "{}",
        ada.cookie
    );
    let page = stack.http.get(&stack.base).send().await.unwrap();
    let kept = page.headers()["strict-transport-security"].to_str();
    assert_eq!(kept.unwrap(), "max-age=31536000");

    let mut roots = RootCertStore::empty();
    let trusted = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
    roots.add(trusted).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(stack.edge.address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream);
    let mut request = format!("{}/api/feed", stack.base.replace("https", "wss"))
        .into_client_request()
        .unwrap();
    let headers = request.headers_mut();
    headers.insert("origin", stack.base.parse().unwrap());
    headers.insert("cookie", ada.cookie.parse().unwrap());
    let (mut socket, _) = client_async(request, stream.await.unwrap()).await.unwrap();
    let welcome = futures_util::StreamExt::next(&mut socket).await.unwrap();
    let welcome = welcome.unwrap().into_text().unwrap();
    assert!(welcome.contains("ada@example.org"), "{welcome}");
}

#[tokio::test]
async fn a_cookie_that_others_could_have_planted_signs_nobody_in() {
    let folder = TempDir::new().unwrap();
    let files = files(folder.path());
    let certificate = certify(&files);
    let mut stack = Stack::start_as(|config| config.tls = Some(files)).await;
    stack.http = trusting(&certificate);
    let mut ada = stack.ada().await;
    assert_eq!(ada.get("/api/me").await.status, 200);
    ada.cookie = ada.cookie.replace("__Host-", "");
    assert_eq!(ada.get("/api/me").await.status, 401);
}

#[tokio::test]
async fn a_renewed_certificate_is_used_without_a_restart() {
    let folder = TempDir::new().unwrap();
    let files = files(folder.path());
    certify(&files);
    let stack = Stack::start_as(|config| config.tls = Some(files.clone())).await;
    // Half a pair is not used, and the one before stays.
    let half = KeyPair::generate().unwrap().serialize_pem();
    std::fs::write(&files.key, half).unwrap();
    let renewed = trusting(&certify(&files));
    let answered = async {
        while renewed.get(&stack.base).send().await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, answered).await.unwrap();
}

fn config(change: impl FnOnce(&mut Config)) -> Config {
    let mut config = Config {
        nats: "nats://127.0.0.1:1".into(),
        nats_monitor: None,
        postgres: "postgres://127.0.0.1:1/none".into(),
        listen: "127.0.0.1:0".parse().unwrap(),
        origins: vec![],
        tls: None,
        proxies: vec![],
        data: "none".into(),
        terminals_per_person: 1,
        limits: Limited::default(),
        ready_file: None,
    };
    change(&mut config);
    config
}

async fn refusal(change: impl FnOnce(&mut Config)) -> StartError {
    match Edge::start(&config(change)).await {
        Ok(_) => panic!("it started"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn files_that_cannot_be_used_are_told_at_the_start() {
    let folder = TempDir::new().unwrap();
    let files = files(folder.path());
    let told = async || {
        refusal(|config| config.tls = Some(files.clone()))
            .await
            .to_string()
    };
    let missing = told().await;
    assert!(missing.contains("cert.pem has no certificate"), "{missing}");
    certify(&files);
    std::fs::write(&files.key, "nothing").unwrap();
    let empty = told().await;
    assert!(empty.contains("key.pem has no private key"), "{empty}");
    std::fs::write(&files.key, KeyPair::generate().unwrap().serialize_pem()).unwrap();
    let strangers = told().await;
    assert!(strangers.contains("cannot be used together"), "{strangers}");
}

#[tokio::test]
async fn nothing_is_served_unencrypted_to_other_machines() {
    for listen in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let refused = refusal(|config| config.listen = listen.parse().unwrap()).await;
        assert!(matches!(refused, StartError::Exposed(_)), "{refused}");
        let told = refused.to_string();
        for way in ["127.0.0.1", "DUPLEX_TLS_CERT", "DUPLEX_PROXIES"] {
            assert!(told.contains(way), "{told}");
        }
    }
    let origin = "https://duplex.example.org";
    let refused = refusal(|config| config.origins = vec![origin.parse().unwrap()]).await;
    assert!(refused.to_string().starts_with(origin), "{refused}");
    // With a proxy it goes on to what is not there in this test.
    let further = refusal(|config| config.proxies = vec!["192.0.2.7".parse().unwrap()]).await;
    assert!(matches!(further, StartError::Log(_)), "{further}");
}

#[tokio::test]
async fn what_is_not_encrypted_is_no_page_of_an_encrypted_address() {
    let origin = "https://duplex.example.org";
    let stack = Stack::start_as(|config| {
        config.origins = vec![origin.parse().unwrap()];
        config.proxies = vec!["127.0.0.1".parse().unwrap()];
    })
    .await;
    let ask = |headers: &[(&'static str, &'static str)]| {
        let login = json!({"email": "ada@example.org", "password": PASSWORD});
        let request = stack.http.post(format!("{}/api/login", stack.base));
        let request = request.header("host", "duplex.example.org");
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        request.header("origin", origin).json(&login).send()
    };
    let bare = crate::stack::Answer::of(ask(&[]).await.unwrap()).await;
    assert_eq!(bare.error(), (403, "not_encrypted", None));
    let told = ask(&[("x-forwarded-proto", "https")]).await.unwrap();
    assert_eq!(told.status(), 401);
    assert!(told.headers().contains_key("strict-transport-security"));
}
