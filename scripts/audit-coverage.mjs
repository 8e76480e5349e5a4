import 'reflect-metadata';
import fs from 'node:fs';
import path from 'node:path';
import { inProject } from './lib/project.mjs';
import { say, warn } from './lib/progress.mjs';

// Whether the e2e files of a run have, together, called every route of every API that may change something, and each call has left its one audit record.
// Each stack compares its calls with its records when it stops, and notes the records that were right below the folder given here (test/support/audit-check.ts).

/** Actions that may be without a record, and why. */
const NOT_CALLED = {
  'cloudike Providers.loginByLdap': 'sign-in.e2e-spec.ts calls it where there is an LDAP server',
};

const dist = (file) => import(inProject(`dist/apps/api/src/${file}.js`));
const { MetadataScanner } = await import('@nestjs/core');
const { FRAMED_DIALECTS } = await dist('documents');
const { CLOUDIKE_CONTROLLERS } = await dist('dialects/cloudike/cloudike.module');
const { ROUTE_METADATA } = await dist('dialects/cloudike/http/route-metadata');
const { dialectRoutesOf } = await dist('http/dialect/route');

const isRecorded = (audit) => audit === 'change' || audit === 'sign-in';

function* mutatingActions() {
  for (const { prototype } of CLOUDIKE_CONTROLLERS) {
    for (const method of new MetadataScanner().getAllMethodNames(prototype)) {
      const route = Reflect.getMetadata(ROUTE_METADATA, prototype[method]);
      if (route && isRecorded(route.audit)) yield { action: `cloudike ${route.name.replace('Controller.', '.')}`, templates: route.templates };
    }
  }
  for (const { dialect, controllers } of FRAMED_DIALECTS) {
    for (const { name, method, template, audit } of dialectRoutesOf(controllers)) {
      if (isRecorded(audit ?? (method === 'GET' ? 'none' : 'change')))
        yield { action: `${dialect.name} ${name.replace('Controller', '')}`, templates: [`${method} ${template}`] };
    }
  }
}

const [folder] = process.argv.slice(2);
const recorded = new Set(folder ? fs.readdirSync(folder).flatMap((file) => JSON.parse(fs.readFileSync(path.join(folder, file), 'utf8'))) : []);
const actions = [...mutatingActions()];
const missing = actions.filter(({ action }) => !recorded.has(action) && !NOT_CALLED[action]);
const needless = Object.keys(NOT_CALLED).filter((action) => !actions.some((each) => each.action === action));
for (const { action, templates } of missing) warn(`no e2e file leaves an audit record of ${action} (${templates.join(', ')})`);
for (const action of needless) warn(`${action} is left out, and is no action`);
say(`${actions.filter(({ action }) => recorded.has(action)).length} of ${actions.length} actions that may change something have left audit records`);
process.exit(missing.length + needless.length === 0 && actions.length > 0 ? 0 : 1);
