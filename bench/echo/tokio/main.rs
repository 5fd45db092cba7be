// The echo server on Tokio: a task a connection, the runtime of one thread.
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::signal::unix::{signal, SignalKind};

async fn echo(mut stream: TcpStream) {
    let mut buffer = [0u8; 2048];
    loop {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(n) => {
                if stream.write_all(&buffer[..n]).await.is_err() {
                    return;
                }
            }
        }
    }
}

async fn serve(host: String, port: u16) -> std::io::Result<()> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(format!("{}:{}", host, port).parse().expect("a numeric address"))?;
    let listener = socket.listen(4096)?;
    println!("listening on {} port {}", host, listener.local_addr()?.port());
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            tokio::spawn(echo(stream));
        }
    }
}

fn main() -> std::io::Result<()> {
    let (mut host, mut port) = ("127.0.0.1".to_string(), 0);
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    for pair in arguments.chunks_exact(2) {
        match pair[0].as_str() {
            "--host" => host = pair[1].clone(),
            "--port" => port = pair[1].parse().expect("a port"),
            other => panic!("unknown option {}", other),
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut term = signal(SignalKind::terminate())?;
        tokio::select! {
            result = serve(host, port) => result,
            _ = term.recv() => Ok(()),
        }
    })
}
