set -e
edit() {
  mlinfra sandbox edit "$1" "$2" "$3" > /dev/null
}
edit bucket.a versioning false
edit bucket.b encryption null
edit queue.jobs visibility_timeout 30
edit network.main/vpc dns_hostnames false
edit network.main/private-a tags '{"team":"web"}'
edit network.main/private-b tags '{}'
edit network.main/public-a public_ips true
edit network.main/private-routes routes '[]'
edit network.main/public-routes tags '{"team":"ml"}'
edit network.main/gateway tags '{"team":"ml","extra":"1"}'
edit network.main/s3-endpoint route_tables '[]'
edit network.main/nat-address tags '{}'
edit network.main/nat tags '{"team":"x"}'
edit cluster.train/group ingress '[]'
edit cluster.train/role description '"mine"'
edit cluster.train/profile tags '{}'
edit cluster.train/template default_version 2
mlinfra sandbox delete queue.jobs/dead-letter > /dev/null
mlinfra sandbox delete network.main/public-b > /dev/null
node=$(mlinfra show --json | grep -o '"i-0[0-9a-f]*' | tr -d '"' | head -n 1)
mlinfra sandbox delete "$node" > /dev/null
