//! Where files go (whatsmeow `mediaconn.go` wants all four attributes).

use wafast_protocol::node::{Node, NodeBuilder};

use crate::{reply, tls::MEDIA_HOST};

pub fn answer(iq: &Node) -> Node {
    let host = NodeBuilder::new("host").attr("hostname", MEDIA_HOST).build();
    let conn = NodeBuilder::new("media_conn")
        .attr("auth", "loopback")
        .attr("ttl", 300)
        .attr("auth_ttl", 21_600)
        .attr("max_buckets", 12)
        .children([host]);
    reply::result(iq, [conn.build()])
}
