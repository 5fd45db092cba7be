// pipeline on Tokio: a task for each end of a connection. See work.hpp.
#[path = "../../kit/rust/kit.rs"]
mod kit;
#[path = "../../kit/rust/runtime.rs"]
mod runtime;

use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const CONNECTIONS: i64 = 64;
const BLOCK_SIZE: usize = 4096;
const PASSES: u64 = 8;
const HEAVY_PARTS: u64 = 64;
const HEAVY_EVERY: i64 = 16;
const KINDS: usize = 4;

struct Request {
    block: Vec<u8>,
    digest: u64,
}

fn digest_part(block: &[u8], part: u64) -> u64 {
    let mut hash = 0xcbf29ce484222325u64.wrapping_add(part);
    for _ in 0..PASSES {
        for word in block.chunks_exact(8) {
            hash ^= u64::from_le_bytes(word.try_into().unwrap());
            hash = hash.wrapping_mul(0x100000001b3);
        }
    }
    hash
}

fn digest(block: &[u8]) -> u64 {
    let parts = if block[0] == b'H' { HEAVY_PARTS } else { 1 };
    (0..parts).fold(0, |sum: u64, part| sum.wrapping_add(digest_part(block, part)))
}

fn make_requests() -> Vec<Request> {
    let make = |which: usize| {
        let mut block: Vec<u8> =
            (0..BLOCK_SIZE).map(|at| b'a' + ((at * 31 + which) % 23) as u8).collect();
        block[0] = if which < KINDS { b's' } else { b'H' };
        let digest = digest(&block);
        Request { block, digest }
    };
    (0..2 * KINDS).map(make).collect()
}

async fn handle(mut stream: TcpStream) {
    let mut block = [0u8; BLOCK_SIZE];
    while stream.read_exact(&mut block).await.is_ok() {
        let answer = digest(&block).to_le_bytes();
        if stream.write_all(&answer).await.is_err() {
            return;
        }
    }
}

async fn client(
    requests: Arc<Vec<Request>>,
    connection: i64,
    address: SocketAddr,
    count: i64,
) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut answer = [0u8; 8];
    for i in 0..count {
        let heavy = (i + connection) % HEAVY_EVERY == 0;
        let request = &requests[i as usize % KINDS + if heavy { KINDS } else { 0 }];
        stream.write_all(&request.block).await?;
        stream.read_exact(&mut answer).await?;
        if u64::from_le_bytes(answer) != request.digest {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn exchange(requests: Arc<Vec<Request>>, address: SocketAddr, size: i64) -> bool {
    let clients: Vec<_> = (0..CONNECTIONS)
        .map(|number| {
            let count = size / CONNECTIONS + i64::from(number < size % CONNECTIONS);
            tokio::spawn(client(requests.clone(), number, address, count))
        })
        .collect();
    let mut right = true;
    for client in clients {
        right = matches!(client.await, Ok(Ok(true))) && right;
    }
    right
}

fn main() {
    let mut program = kit::Program::parse("pipeline", "tokio", 20_000, &[]);
    let requests = Arc::new(make_requests());
    let runtime = runtime::of(program.threads);
    let address = runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                tokio::spawn(handle(stream));
            }
        });
        address
    });
    let mut right = runtime.block_on(exchange(requests.clone(), address, CONNECTIONS));
    program.start();
    right = runtime.block_on(exchange(requests, address, program.size)) && right;
    program.stop();
    program.finish(program.size, right);
}
