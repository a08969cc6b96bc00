// For mongosh: initiates the replica set once and makes the server's own user. May run again at any time.
const fs = require('fs');
const secret = name => fs.readFileSync(`/run/secrets/${name}`, 'utf8').trim();
const members = ['mongo1:27017', 'mongo2:27017', 'mongo3:27017'];
const root = `root:${encodeURIComponent(secret('mongo_root_password'))}`;

const first = connect(`mongodb://${root}@${members[0]}/admin?directConnection=true`);
try {
    first.adminCommand({ replSetGetStatus: 1 });
} catch (error) {
    if (error.codeName !== 'NotYetInitialized') {
        throw error;
    }
    first.adminCommand({ replSetInitiate: { _id: 'rs0', members: members.map((host, _id) => ({ _id, host })) } });
    print('The replica set rs0 is initiated.');
}

// Waits for a primary: the driver looks for one for 30 seconds.
const admin = connect(`mongodb://${root}@${members.join(',')}/admin?replicaSet=rs0`);
const fhir = admin.getSiblingDB('fhir');
const user = { pwd: secret('mongo_fhir_password'), roles: [{ role: 'readWrite', db: 'fhir' }, { role: 'clusterMonitor', db: 'admin' }] };
if (fhir.getUser('fhir') === null) {
    fhir.createUser({ user: 'fhir', ...user }, { w: 'majority' });
    print('The user fhir is made.');
} else {
    fhir.updateUser('fhir', user, { w: 'majority' });
}
