set -e
fields='{"name":"by-hand","versioning":true,"encryption":null,"public_access_block":true,"ownership":"BucketOwnerEnforced","policy":null,"lifecycle":[],"precious":false}'
mlinfra sandbox create bucket "$fields"
for tag in stack=hands address=bucket.new generation=1 token=t; do
  mlinfra sandbox tag by-hand "mlinfra:${tag%%=*}" "${tag#*=}" > /dev/null
done
