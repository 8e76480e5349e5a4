/**
 * A lib imports only libs of the rows above its own. The levels of docs/architecture.md, as data; level 1 is split, because the queue writes its
 * outbox through the database, and mail leaves through the queue.
 */
const LEVELS = [
  ['kernel'],
  ['config', 'observability'],
  ['database', 'blob-store'],
  ['queue', 'limiter', 'signals'],
  ['mail'],
  ['accounts', 'tasks'],
  ['audit', 'settings', 'soft', 'service-keys', 'wallets'],
  ['groups', 'nodes'],
  ['access'],
  ['files', 'trash', 'versions'],
  [
    'archives',
    'shares',
    'links',
    'comments',
    'previews',
    'handover',
    'events',
    'analytics',
    'administration',
    'feedback',
    'content-ids',
    'sealing',
    'buckets',
    'own-tree',
  ],
  ['node-facts', 'office', 'companies', 'places', 'rooms', 'file-access'],
  ['erasing', 'sign-in'],
];
const anyOf = (names) => `^libs/(${names.join('|')})/`;

function levelRules() {
  return LEVELS.flatMap((libs, level) =>
    libs.map((lib) => {
      const allowed = [lib, ...LEVELS.slice(0, level).flat()];
      return {
        name: `level-of-${lib}`,
        comment: `libs/${lib} imports only libs of the rows above it.`,
        severity: 'error',
        from: { path: `^libs/${lib}/` },
        to: { path: '^libs/', pathNot: anyOf(allowed) },
      };
    }),
  );
}

const only = (name, where, what, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: '^(apps|libs|migrations)/', pathNot: where },
  to: { path: what },
});
const packages = (...names) => `node_modules/(${names.join('|')})/`;

export default {
  forbidden: [
    { name: 'no-cycles', comment: 'No cycle between files.', severity: 'error', from: {}, to: { circular: true } },
    { name: 'resolvable', comment: 'Every import leads somewhere.', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'known-level',
      comment: 'A new lib gets a level in this file first.',
      severity: 'error',
      from: { path: '^libs/', pathNot: anyOf(LEVELS.flat()) },
      to: {},
    },
    { name: 'libs-below-apps', comment: 'Libs never import apps.', severity: 'error', from: { path: '^libs/' }, to: { path: '^apps/' } },
    {
      name: 'apps-apart',
      comment: 'An app never imports another app.',
      severity: 'error',
      from: { path: '^apps/([^/]+)/' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    ...levelRules(),
    {
      name: 'only-through-the-index',
      comment: 'Other code sees of a lib only what its index.ts exports.',
      severity: 'error',
      from: { path: '^libs/([^/]+)/' },
      to: { path: '^libs/', pathNot: ['^libs/$1/', '^libs/[^/]+/src/index\\.ts$'] },
    },
    {
      name: 'apps-only-through-the-index',
      comment: 'Apps see of a lib only what its index.ts exports.',
      severity: 'error',
      from: { path: '^(apps|migrations)/' },
      to: { path: '^libs/', pathNot: '^libs/[^/]+/src/index\\.ts$' },
    },
    {
      name: 'not-its-own-index',
      comment: 'Code inside a lib imports the file it needs: its own index.ts is how barrel cycles begin.',
      severity: 'error',
      from: { path: '^libs/([^/]+)/src/(?!index\\.ts$)' },
      to: { path: '^libs/$1/src/index\\.ts$' },
    },
    {
      name: 'dialects-apart',
      comment: 'A dialect never imports another dialect.',
      severity: 'error',
      from: { path: '^apps/api/src/dialects/([^/]+)/' },
      to: { path: '^apps/api/src/dialects/', pathNot: '^apps/api/src/dialects/$1/' },
    },
    {
      name: 'http-below-dialects',
      comment: 'What all dialects share knows none of them.',
      severity: 'error',
      from: { path: '^apps/api/src/(http|blobs)/' },
      to: { path: '^apps/api/src/dialects/' },
    },
    {
      name: 'dialects-are-skins',
      comment: 'A dialect talks to use cases, never to stores, queues or entities.',
      severity: 'error',
      from: { path: '^apps/api/src/dialects/' },
      to: {
        path: [
          packages('typeorm', '@nestjs/typeorm', 'pg', 'bullmq', 'ioredis', '@aws-sdk/[^/]+'),
          '^libs/[^/]+/src/(entities|repositories)/',
          '^libs/(database|queue)/',
        ],
      },
    },
    only(
      'typeorm-in-repositories',
      ['^libs/database/', '/(entities|repositories)/', '^migrations/'],
      packages('typeorm', '@nestjs/typeorm', 'pg'),
      'Only repositories, entities and libs/database know SQL clients.',
    ),
    only('bullmq-in-queue', '^libs/queue/', packages('bullmq'), 'Only libs/queue knows BullMQ.'),
    only('redis-in-ports', '^libs/(queue|limiter|signals)/', packages('ioredis'), 'Redis is behind the queue, the limiter and the signals.'),
    only('s3-in-blob-store', '^libs/blob-store/', packages('@aws-sdk/[^/]+'), 'Only libs/blob-store knows S3.'),
    only('mail-in-mail', '^libs/mail/', packages('nodemailer'), 'Only libs/mail sends mail.'),
    {
      name: 'kernel-is-bare',
      comment: 'The kernel is plain TypeScript.',
      severity: 'error',
      from: { path: '^libs/kernel/', pathNot: '\\.spec\\.ts$' },
      to: { path: 'node_modules/', dependencyTypesNot: ['core'] },
    },
    {
      name: 'no-http-in-libs',
      comment: 'HTTP is the business of the apps.',
      severity: 'error',
      from: { path: '^libs/' },
      to: { path: packages('express', '@nestjs/platform-express', '@nestjs/swagger') },
    },
    {
      name: 'no-development-packages',
      comment: 'What runs in production imports only what is installed there.',
      severity: 'error',
      from: { path: '^(apps|libs|migrations)/', pathNot: ['\\.spec\\.ts$', '^libs/[^/]+/test/'] },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|apps/web)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['stowage-source', 'import', 'node', 'require', 'default', 'types'],
      mainFields: ['module', 'main', 'types'],
      extensions: ['.ts', '.js', '.mjs', '.json'],
    },
  },
};
