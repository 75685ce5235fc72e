# Somebody's bucket, from before mlinfra.
mlinfra sandbox create bucket '{"name": "acme-corpus-2023", "versioning": false,
  "encryption": {"algorithm": "AES256"}, "public_access_block": true,
  "ownership": "BucketOwnerEnforced", "policy": null, "lifecycle": [], "precious": true}'
