// Shards the store's collections. Run once, in mongosh on a mongos, before the first start or while the collections are small:
//   mongosh "mongodb://…" --eval 'const database = "fhir"' deploy/mongodb/shard.js
//
// A key's uniqueness: with a shard key other than _id, MongoDB keeps _id unique within one shard only.
// - records lie by partition (a patient's, a schedule's), so that what is written together lies together. That no record is made twice
//   the server ensures itself: talking to a mongos, every creation also claims its key in `claims` and looks for it, in the same transaction.
// - journal lies by _id, the row's number: readers and commits rely on one row per number, wherever it lies.
// - claims lie by _id for the same reason.
// counters and meta stay unsharded.
const name = typeof database === "undefined" ? "fhir" : database;

sh.enableSharding(name);
sh.shardCollection(`${name}.records`, { p: "hashed" });
sh.shardCollection(`${name}.journal`, { _id: "hashed" });
sh.shardCollection(`${name}.claims`, { _id: "hashed" });
