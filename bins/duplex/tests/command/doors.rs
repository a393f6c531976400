//! Who can reach the page: this machine, a proxy that is named, or whoever trusts the certificate.
use crate::installed::{Installed, refusal};

#[tokio::test]
async fn an_address_for_others_needs_encryption() {
    let installed = Installed::new();
    let up = |args: &[&str]| {
        let mut up = installed.duplex(&["up"]);
        up.args(args).arg("--data").arg(installed.data());
        async move { refusal(up.output().await.unwrap()) }
    };
    assert_eq!(
        up(&["--listen", "0.0.0.0:7700"]).await,
        "duplex: 0.0.0.0:7700 would be served unencrypted to whoever reaches it: listen on 127.0.0.1, or give a \
         certificate with --tls-cert and --tls-key, or name the proxy that encrypts with --proxy"
    );
    assert_eq!(
        up(&["--origin", "https://duplex.example.org"]).await,
        "duplex: https://duplex.example.org says https, but nothing encrypts: give a certificate with --tls-cert and \
         --tls-key, or name the proxy that encrypts with --proxy"
    );
    let missing = ["--tls-cert", "/no/cert.pem", "--tls-key", "/no/key.pem"];
    assert_eq!(
        up(&missing).await,
        "duplex: --tls-cert /no/cert.pem is no file"
    );
}

#[tokio::test]
async fn certificate_and_proxies_are_handed_to_the_edge() {
    let installed = Installed::new();
    let [certificate, key] = ["cert.pem", "key.pem"].map(|name| installed.path().join(name));
    for file in [&certificate, &key] {
        std::fs::write(file, "").unwrap();
    }
    let mut up = installed.up();
    up.arg("--tls-cert").arg(&certificate);
    up.arg("--tls-key").arg(&key);
    up.args(["--proxy", "10.0.0.7,fd00::/8"]);
    let (_up, run) = installed.started_by(up).await;

    let told = installed.told("edge");
    assert_eq!(told["DUPLEX_TLS_CERT"], certificate.display().to_string());
    assert_eq!(told["DUPLEX_TLS_KEY"], key.display().to_string());
    assert_eq!(told["DUPLEX_PROXIES"], "10.0.0.7,fd00::/8");
    let port = run.ports["edge"];
    assert_eq!(
        told["DUPLEX_ORIGINS"],
        format!("https://127.0.0.1:{port},https://localhost:{port}")
    );
    let page = format!("Address:                     https://127.0.0.1:{port}");
    assert!(installed.said().contains(&page), "{}", installed.said());
}
